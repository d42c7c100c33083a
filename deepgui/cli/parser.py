"""The arguments of every command. Imports nothing heavy: ``deepgui --help`` answers at once."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deepgui import __version__
from deepgui.cli.errors import CommandError

_DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")
_DTYPES = ("float32", "int64", "int32", "bool")
LARGEST = 2**63 - 1
_EPILOG = """\
Without a command, deepgui opens the application: deepgui [PROJECT]

Exit status: 0 done; 1 the project has problems, the run failed or was interrupted;
2 unusable arguments or input. What a command reports goes to stdout, also where it reports problems
(check); what keeps it from its work is one sentence on stderr. --debug (anywhere) shows its traceback."""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence instead of printing the usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]+): (?=--|[A-Z])", "", message)
        message = re.sub(r"^argument ([^:]+): ", r"\1: ", message)
        raise CommandError(f"{message}; see {self.prog} --help.")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line. Raises :class:`CommandError`; SystemExit(0) after --help and --version."""
    parser, commands = _build()
    first = words[0] if words else ""
    if first not in commands and first not in ("-h", "--help", "--version"):
        _refuse_misspelt(first, commands)
        words = ["open", *words]
    return parser.parse_args(words)


def _refuse_misspelt(word: str, commands: Sequence[str]) -> None:
    """``deepgui trian x`` must not look for a file called trian."""
    if not word or word.startswith("-") or any(mark in word for mark in "./\\") or Path(word).exists():
        return
    near = difflib.get_close_matches(word, commands, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else "see deepgui --help."
    raise CommandError(f"there is no command or project {word!r}; {hint}")


def _build() -> tuple[_Parser, list[str]]:
    parser = _Parser(
        prog="deepgui",
        description="Draw a neural network, watch it learn, take the PyTorch home.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"deepgui {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, handler: str, help: str) -> _Parser:
        made: _Parser = commands.add_parser(name, help=help, description=help)
        made.set_defaults(handler=handler, command=name)
        return made

    for add in (_windows, _projects, _training, _search, _results, _after, _listings):
        add(command)
    return parser, list(commands.choices)


_Command = Callable[[str, str, str], _Parser]


def _windows(command: _Command) -> None:
    opening = command("open", "window:open_window", "Open the application.")
    opening.add_argument("project", nargs="?", type=Path, metavar="PROJECT")
    demo = command("demo", "window:demo", "Open the digits sample and train it; without a display, the same offscreen.")
    demo.add_argument("--offscreen", action="store_true", help="do not open a window even if there is a display")
    demo.add_argument(
        "-o", "--out", type=Path, default=Path("deepgui-demo"), metavar="DIR", help="what is left offscreen goes here"
    )


def _projects(command: _Command) -> None:
    check = command("check", "check:run", "List problems, shapes, parameters, multiply-adds and memory.")
    _project(check)
    check.add_argument("--data", type=Path, metavar="PATH", help="check against this file or folder instead")
    _trust(check)
    _json(check)
    bring = command("import", "bring:run", "Draw an ONNX file or a torch module, with its weights.")
    bring.add_argument("source", metavar="SOURCE", help="model.onnx, or package.module:callable (this runs that code)")
    bring.add_argument("-o", "--out", type=Path, required=True, metavar="PROJECT", help="weights go beside it")
    bring.add_argument(
        "--input-shape",
        type=_shape,
        action="append",
        default=[],
        metavar="1,3,224,224",
        help="of a module's input, batch first; 1,12:int64 for another element type; once for each input",
    )
    _json(bring)
    render = command("render", "window:render", "Draw the network into an SVG, PNG or PDF file.")
    _project(render)
    render.add_argument("-o", "--out", type=Path, required=True, metavar="OUT.svg|png|pdf")
    render.add_argument("--theme", choices=("dark", "light"), default="light", help="colours (default: light)")


def _training(command: _Command) -> None:
    train = command("train", "train:run", "Train the project's network.")
    _project(train)
    _trust(train)
    train.add_argument("--epochs", type=whole("--epochs", 1), metavar="N", help="passes over the training data")
    train.add_argument("--max-steps", type=whole("--max-steps", 1), metavar="N", help="stop after so many steps")
    train.add_argument("--batch-size", type=whole("--batch-size", 1), metavar="N", help="examples per step")
    train.add_argument("--lr", type=positive("--lr"), metavar="X", help="learning rate")
    train.add_argument("--device", type=_device, metavar="auto|cpu|cuda|mps", help="where to compute")
    train.add_argument("--precision", choices=("fp32", "bf16", "fp16"), help="of the computation")
    train.add_argument("--seed", type=whole("--seed", 0), metavar="S", help="of initialisation, shuffling and dropout")
    train.add_argument("--data", type=Path, metavar="PATH", help="examples from this file or folder instead")
    train.add_argument(
        "--start-from", metavar="RUN", help="begin with the weights of this run (folder, name, last, best) or file"
    )
    ahead = train.add_mutually_exclusive_group()
    ahead.add_argument("--find-lr", action="store_true", help="instead of training, look for a learning rate")
    ahead.add_argument(
        "--overfit-batch", action="store_true", help="instead of training, try to learn one batch by heart"
    )
    train.add_argument("--runs", type=Path, metavar="DIR", help="where the run's folder is made")
    train.add_argument("--resume", metavar="RUN", help="continue this run: its folder or its name; last, best")
    train.add_argument(
        "--tensorboard", action="store_true", help="write TensorBoard's files into the run's folder, too"
    )
    train.add_argument(
        "--devices",
        type=whole("--devices", 1),
        default=1,
        metavar="N",
        help="processes that train together, a batch each: on the CPU, or with a GPU each",
    )
    train.add_argument(
        "--detach", action="store_true", help="train in a process of its own, which deepgui attach shows and steers"
    )
    _json(train)
    attach = command("attach", "attach:run", "Show a training that another process does, or steer it.")
    attach.add_argument("target", metavar="RUN", help="its folder or name, or a .deepgui file for its newest run")
    _runs_folder(attach)
    orders = attach.add_mutually_exclusive_group()
    orders.add_argument("--stop", action="store_true", help="end it after this step, with a checkpoint")
    orders.add_argument("--pause", action="store_true", help="have it stand still")
    orders.add_argument("--resume", action="store_true", help="have it go on after a pause")
    orders.add_argument("--step", action="store_true", help="have it take one step and stand still")
    attach.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="change a number, such as lr=0.001"
    )
    _json(attach)


def _search(command: _Command) -> None:
    search = command("search", "search:run", "Try settings within the ranges marked in the project; find the best.")
    _project(search)
    _trust(search)
    search.add_argument("--trials", type=whole("--trials", 1), default=20, metavar="N", help="to make (default: 20)")
    search.add_argument("--metric", default="val_loss", help="what to make good (default: val_loss)")
    search.add_argument(
        "--timeout", type=positive("--timeout"), metavar="S", help="begin no trial after so many seconds"
    )
    search.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="PATH=RANGE",
        help="vary this, too: training.optimizer_options.lr=0.0001..0.1:log, training.optimizer=Adam,SGD, "
        "network.conv1.out_channels=8..64:8, network.drop1.bypass=true,false",
    )
    search.add_argument("--epochs", type=whole("--epochs", 1), metavar="N", help="of each trial")
    search.add_argument("--max-steps", type=whole("--max-steps", 1), metavar="N", help="of each trial")
    search.add_argument("--batch-size", type=whole("--batch-size", 1), metavar="N", help="examples per step")
    search.add_argument("--device", type=_device, metavar="auto|cpu|cuda|mps", help="where to compute")
    search.add_argument("--seed", type=whole("--seed", 0), metavar="S", help="of every trial")
    search.add_argument("--data", type=Path, metavar="PATH", help="examples from this file or folder instead")
    search.add_argument("--runs", type=Path, metavar="DIR", help="where trials and what was found are kept")
    search.add_argument("-o", "--out", type=Path, metavar="PROJECT", help="save the project with the best settings")
    _json(search)


def _results(command: _Command) -> None:
    evaluate = command("eval", "evaluate:run", "Measure a trained run on held-out data.")
    _project(evaluate)
    _trust(evaluate)
    _run(evaluate, required=True)
    evaluate.add_argument("--split", choices=("val", "test"), help="default: test, and everything of --data")
    evaluate.add_argument("--data", type=Path, metavar="PATH", help="measure on this file or folder instead, all of it")
    evaluate.add_argument(
        "--worst", type=whole("--worst", 0), default=10, metavar="N", help="examples to name (default: 10)"
    )
    _json(evaluate)
    _predict(command)
    export = command("export", "export:run", "Take the network home: Python source, weights, ONNX, torch.export.")
    _project(export)
    _trust(export)
    export.add_argument("--to", required=True, choices=("python", "weights", "onnx", "torch"))
    export.add_argument("-o", "--out", type=Path, required=True, metavar="OUT")
    export.add_argument("--network", default="", metavar="NAME", help="one of several networks, such as discriminator")
    _run(export, required=False)
    _json(export)
    _runs(command)


def _predict(command: _Command) -> None:
    predict = command("predict", "predict:run", "Ask a trained run about files and texts, or have it make something.")
    _project(predict)
    _trust(predict)
    _run(predict, required=True)
    predict.add_argument(
        "--input",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="images, text tables (a row an example; of a series a row a step), .ts series, .wav recordings, "
        ".txt texts (a line an example), .npy arrays, .npz with an array for each Input",
    )
    predict.add_argument("--text", nargs="+", metavar="TEXT", help="text itself; <mask> for a gap")
    predict.add_argument(
        "--generate", type=whole("--generate", 1), metavar="N", help="go on for N tokens, or make N new examples"
    )
    predict.add_argument(
        "--temperature",
        type=positive("--temperature", zero=True),
        default=0.8,
        metavar="T",
        help="of text: 0 is the most likely, more is bolder (default: 0.8)",
    )
    predict.add_argument(
        "--top-k",
        type=whole("--top-k", 0),
        default=0,
        metavar="K",
        help="of text: only among the K most likely tokens; 0 for all",
    )
    predict.add_argument("--seed", type=whole("--seed", 0), default=0, metavar="S", help="of what is made (default: 0)")
    predict.add_argument("-o", "--out", type=Path, metavar="DIR", help="where new examples are written")
    _json(predict)


def _runs(command: _Command) -> None:
    runs = command("runs", "runs:run", "List the runs of a project; look at, compare, mark, take out or delete them.")
    _project(runs)
    _runs_folder(runs)
    does = runs.add_argument_group(
        "instead of the list (a RUN is its folder, name or title, last, best or best:METRIC)"
    )
    one = does.add_mutually_exclusive_group()
    one.add_argument("--show", metavar="RUN", help="everything about a run")
    one.add_argument(
        "--compare", nargs="+", metavar="RUN", help="settings and drawings that differ, metrics side by side"
    )
    one.add_argument("--csv", metavar="RUN", help="write its curves as a table, with -o FILE")
    one.add_argument("--tensorboard", metavar="RUN", help="write TensorBoard's event files, with -o DIR")
    one.add_argument("--tag", nargs="+", metavar=("RUN", "TAG"), help="add tags to a run")
    one.add_argument("--untag", nargs="+", metavar=("RUN", "TAG"), help="take tags off a run")
    one.add_argument("--note", nargs=2, metavar=("RUN", "TEXT"), help="write a note on a run, '' for none")
    one.add_argument("--rename", nargs=2, metavar=("RUN", "TITLE"), help="give a run a title, '' for its folder's name")
    one.add_argument("--delete", nargs="+", metavar="RUN", help="delete runs with their checkpoints")
    does.add_argument("-o", "--out", type=Path, metavar="OUT", help="where --csv and --tensorboard write")
    _json(runs)


def _after(command: _Command) -> None:
    prune = command("prune", "after:prune", "Set the weights of a trained run that matter least to zero.")
    _measured(prune)
    prune.add_argument(
        "--share",
        type=_share,
        nargs="+",
        default=[0.25, 0.5, 0.75, 0.9],
        metavar="S",
        help="how much to prune, from 0 up to 1 (default: 0.25 0.5 0.75 0.9)",
    )
    prune.add_argument(
        "--channels", action="store_true", help="whole output channels by their L1 norm, not single weights"
    )
    prune.add_argument("-o", "--out", type=Path, metavar="FILE", help="write the weights (.safetensors, .pt)")
    _json(prune)
    quantise = command("quantise", "after:quantise", "Put the weights of a trained run into 8 bits.")
    _measured(quantise)
    quantise.add_argument(
        "--static", action="store_true", help="what flows between layers, too, by ranges of training examples"
    )
    quantise.add_argument("-o", "--out", type=Path, metavar="FILE.ts", help="write it as TorchScript")
    _json(quantise)
    explain = command("explain", "after:explain", "Show what in an example moved the answer of a trained run.")
    _measured(explain)
    _examples(explain)
    explain.add_argument(
        "--method", choices=("saliency", "integrated", "grad-cam"), default="integrated", help="default: integrated"
    )
    explain.add_argument("--answer", metavar="CLASS", help="what to explain: a class or number; default: the likeliest")
    explain.add_argument("--layer", default="", metavar="NAME", help="of grad-cam: the convolution (default: the last)")
    explain.add_argument("--input", default="", metavar="FIELD", help="the input to explain, where there are several")
    explain.add_argument("-o", "--out", type=Path, required=True, metavar="DIR", help="where arrays and pictures go")
    _json(explain)
    attack = command("attack", "after:attack", "Mislead a trained run by small changes of its input.")
    _measured(attack)
    _examples(attack)
    attack.add_argument("--method", choices=("fgsm", "pgd"), default="pgd", help="default: pgd")
    attack.add_argument(
        "--epsilon",
        type=positive("--epsilon"),
        nargs="+",
        default=[0.01, 0.03, 0.1, 0.3],
        metavar="E",
        help="how far each element may move, in units of the data; a picture goes from 0 to 1 "
        "(default: 0.01 0.03 0.1 0.3)",
    )
    attack.add_argument("--steps", type=whole("--steps", 1), default=10, metavar="N", help="of pgd (default: 10)")
    attack.add_argument("--input", default="", metavar="FIELD", help="the input to change, where there are several")
    attack.add_argument("-o", "--out", type=Path, metavar="DIR", help="write examples under the largest epsilon")
    _json(attack)


def _examples(parser: _Parser) -> None:
    parser.add_argument(
        "--examples",
        type=whole("--examples", 0),
        nargs="+",
        default=list(range(4)),
        metavar="N",
        help="which examples of the split, counted from 0 (default: 0 1 2 3)",
    )


def _measured(parser: _Parser) -> None:
    """What the commands on a trained run have in common."""
    _project(parser)
    _trust(parser)
    _run(parser, required=True)
    parser.add_argument("--split", choices=("train", "val", "test"), default="test", help="default: test")


def _share(text: str) -> float:
    number = positive("--share", zero=True)(text)
    if number >= 1:
        raise argparse.ArgumentTypeError(f"--share must be below 1, not {text}")
    return number


def _listings(command: _Command) -> None:
    data = command("data", "data:run", "Look at data, list the sources, or fetch a well-known set.")
    data.add_argument(
        "what",
        nargs="?",
        metavar="PROJECT|PATH|SOURCE|fetch",
        help="what to look at; without it the sources are listed",
    )
    data.add_argument("name", nargs="?", metavar="NAME", help="with fetch: the set to download, such as mnist")
    data.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="an option of the source, such as target=price"
    )
    _json(data)
    layers = command("layers", "listing:layers", "List the layers, or explain one.")
    layers.add_argument("kind", nargs="?", metavar="KIND")
    _json(layers)
    samples = command("samples", "listing:samples", "List the sample projects.")
    _json(samples)


def _project(parser: _Parser) -> None:
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .deepgui file")


def _trust(parser: _Parser) -> None:
    parser.add_argument(
        "--trust", action="store_true", help="let the project's layers written in Python run, now and later"
    )


def _json(parser: _Parser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(parser: _Parser, *, required: bool) -> None:
    parser.add_argument("--run", required=required, metavar="RUN", help="a run: its folder or its name; last, best")
    _runs_folder(parser)


def _runs_folder(parser: _Parser) -> None:
    parser.add_argument("--runs", type=Path, metavar="DIR", help="where to look for runs by name")


def whole(option: str, minimum: int) -> Callable[[str], int]:
    """A converter for whole numbers from ``minimum`` up."""

    def convert(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{option} must be a whole number, not {text!r}") from None
        if number < minimum:
            raise argparse.ArgumentTypeError(f"{option} must be at least {minimum}, not {text}")
        if number > LARGEST:
            raise argparse.ArgumentTypeError(f"{option} must be at most {LARGEST:,}, not {text}")
        return number

    return convert


def positive(option: str, *, zero: bool = False) -> Callable[[str], float]:
    """A converter for finite numbers above zero, or ``zero`` itself."""

    def convert(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{option} must be a number, not {text!r}") from None
        if not (math.isfinite(number) and (number > 0 or (zero and number == 0))):
            least = "from 0 up" if zero else "above 0"
            raise argparse.ArgumentTypeError(f"{option} must be a number {least}, not {text}")
        return number

    return convert


def _shape(text: str) -> tuple[tuple[int, ...], str]:
    sizes, _, dtype = text.partition(":")
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", sizes) or 0 in map(int, sizes.split(",")):
        raise argparse.ArgumentTypeError(f"--input-shape must be like 1,3,224,224, not {text!r}")
    if dtype and dtype not in _DTYPES:
        raise argparse.ArgumentTypeError(f"--input-shape: the element type must be one of {', '.join(_DTYPES)}")
    return tuple(map(int, sizes.split(","))), dtype or _DTYPES[0]


def _device(text: str) -> Any:
    if not _DEVICE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"--device must be auto, cpu, cuda, mps or xpu, not {text!r}")
    return text
