"""``deepgui prune``, ``quantise``, ``explain`` and ``attack``: what is done with a trained run afterwards."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepgui import api
from deepgui.after.subject import Subject
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.cli.evaluate import run_folder
from deepgui.training.evaluate import examples_of, load_trained

if TYPE_CHECKING:
    from deepgui.after.adversarial import Misled

_SPLITS = {"train": "train", "val": "validation", "test": "test"}
_MOST_NAMES = 20


def prune(arguments: Namespace) -> int:
    """Print size and metrics by the share that is pruned; write the weights of one."""
    from deepgui.after import pruning
    from deepgui.exporters import weights

    if arguments.out is not None and len(arguments.share) != 1:
        raise CommandError("a file holds one pruned network: say with one --share how much to prune.")
    if arguments.out is not None and arguments.out.suffix not in weights.SUFFIXES:
        raise CommandError(f"{arguments.out.name}: weights are written to .safetensors, .pt or .pth files.")
    method = "channels" if arguments.channels else "magnitude"
    with output.waiting("pruning"):
        subject = _subject(arguments)
        rows = pruning.table(subject, arguments.share, method)
        if arguments.out is not None:
            kept = pruning.pruned(subject.module, arguments.share[0], method)
            weights.save(pruning.weights_of(kept), arguments.out)
    if arguments.json:
        output.print_json({"method": method, "split": arguments.split, "rows": rows, "out": arguments.out})
        return DONE
    sizes = [(f"{r.zeros:.1%}", f"{r.size.nonzero:,}", f"{r.size.bytes:,}", f"{r.size.compressed:,}") for r in rows]
    _print_rows(
        ("pruned", "zeros", "non-zero", "bytes", "compressed"),
        [((f"{row.share:.0%}", *size), row.metrics) for row, size in zip(rows, sizes, strict=True)],
    )
    if arguments.out is not None:
        output.console().print(f"\n{arguments.out}: the weights with {arguments.share[0]:.0%} pruned")
    return DONE


def quantise(arguments: Namespace) -> int:
    """Print size and metrics before and after; the file is read again and compared before it is spoken of."""
    from deepgui.after import quantising

    if arguments.out is not None and arguments.out.suffix != quantising.SUFFIX:
        raise CommandError(f"{arguments.out.name}: a quantised network is written to a {quantising.SUFFIX} file.")
    with output.waiting("quantising"):
        found = quantising.quantise(_subject(arguments), "static" if arguments.static else "dynamic", arguments.out)
    if arguments.json:
        output.print_json({"quantised": found, "split": arguments.split, "remark": found.remark, "out": arguments.out})
        return DONE
    rows = [(("before", f"{found.before.bytes:,}"), found.before.metrics)]
    rows.append(((found.way, f"{found.after.bytes:,}"), found.after.metrics))
    _print_rows(("", "bytes"), rows)
    out = output.console()
    named = ", ".join(f"{count} × {kind}" for kind, count in found.layers.items())
    out.print(f"\nIn 8 bits: {named}.")
    if found.remark:
        out.print(found.remark)
    if arguments.out is not None:
        out.print(f"{arguments.out}: TorchScript, read again and compared; torch.jit.load opens it")
    return DONE


def explain(arguments: Namespace) -> int:
    """Write what moved the answer about some examples: arrays of all, a picture or a row of a table of each."""
    import numpy as np

    from deepgui.after import attributions, heat

    with output.waiting("explaining"):
        subject = _subject(arguments)
        answer = _answer(subject, arguments.answer)
        asked = (arguments.examples, arguments.method, answer, arguments.layer, arguments.input)
        found = attributions.explain(subject, *asked)
    values, given = found.attributions.numpy(), found.values
    folder = _folder(arguments.out)
    paths = [folder / f"{arguments.method}.npz"]
    np.savez(paths[0], examples=arguments.examples, values=given.numpy(), attributions=values, scores=found.scores)
    if found.field.kind == "image":
        for number, picture, hot in zip(arguments.examples, given, found.attributions, strict=True):
            image = heat.heat_map(picture, hot)
            paths.append(heat.write(image, folder / f"{number:04d}_{arguments.method}.png"))
    elif values.ndim == 2 and len(found.field.columns) == values.shape[1]:
        paths.append(folder / f"{arguments.method}.csv")
        header = ",".join(found.field.columns)
        np.savetxt(paths[-1], values, "%.7g", ",", header=header, comments="", encoding="utf-8")
    if arguments.json:
        told = {"method": arguments.method, "examples": arguments.examples, "answers": found.names}
        output.print_json({**told, "scores": found.scores, "gap": found.gap, "files": paths})
        return DONE
    out = output.console()
    for number, name, score in zip(arguments.examples, found.names, found.scores.tolist(), strict=True):
        out.print(f"{number}: {name}, score {score:.4g}")
    if arguments.method == "integrated":
        out.print(f"The sums are the rise of the scores from the baseline's, but for {found.gap:.2g}.")
    for path in paths:
        out.print(str(path))
    return DONE


def attack(arguments: Namespace) -> int:
    """Print the metrics under attack; with ``-o``, write pictures of clean, attacked and difference, and arrays."""
    import numpy as np

    from deepgui.after import adversarial

    with output.waiting("attacking"):
        subject = _subject(arguments)
        attack = adversarial.Attack(subject, arguments.method, arguments.steps, arguments.input)
        rows = adversarial.table(attack, arguments.epsilon)
        largest = max(arguments.epsilon)
        found = adversarial.misled(attack, arguments.examples, largest) if arguments.out is not None else None
    paths: list[Path] = []
    if found is not None:
        paths.append(_folder(arguments.out) / "attacked.npz")
        clean, attacked = found.clean.numpy(), found.attacked.numpy()
        np.savez(paths[0], examples=arguments.examples, epsilon=largest, clean=clean, attacked=attacked)
        paths += _pictures(found, arguments, largest)
    if arguments.json:
        told = {"method": arguments.method, "split": arguments.split, "rows": rows, "files": paths}
        names = {} if found is None else {"before": found.before, "after": found.after, "true": found.true}
        output.print_json({**told, **names})
        return DONE
    _print_rows(("epsilon",), [((f"{row.epsilon:g}",), row.metrics) for row in rows])
    out = output.console()
    if found is not None:
        out.print()
        for number, *said in zip(arguments.examples, found.before, found.after, found.true, strict=True):
            out.print(f"{number}: " + "{}, attacked {} (true: {})".format(*said))
    for path in paths:
        out.print(str(path))
    return DONE


def _pictures(found: Misled, arguments: Namespace, epsilon: float) -> list[Path]:
    """Clean, attacked, and their difference, grey where there is none; nothing for what is no picture."""
    from deepgui.after import heat

    if found.field.kind != "image":
        return []
    paths = []
    for number, clean, attacked in zip(arguments.examples, found.clean, found.attacked, strict=True):
        difference = 0.5 + (attacked - clean) / (2 * epsilon)
        path = arguments.out / f"{number:04d}_{arguments.method}.png"
        paths.append(heat.write(heat.side_by_side(clean, attacked, difference), path))
    return paths


def _answer(subject: Subject, named: str | None) -> int | None:
    """The number of the class or column of that name, or the number that is given itself."""
    target = subject.objective.answer
    names = target.classes or target.columns
    if named is None:
        return None
    if named in names:
        return names.index(named)
    if named.isdecimal():
        return int(named)
    told = f"; there are {', '.join(names)}" if 0 < len(names) <= _MOST_NAMES else ""
    raise CommandError(f"the network has no answer {named!r}{told}.")


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _subject(arguments: Namespace) -> Subject:
    """The run that ``--run`` names with its own data. Raises what :func:`load_trained` and the data raise."""
    api.load(arguments.project)
    trained = load_trained(run_folder(arguments))
    dataset, objective = examples_of(trained)
    return Subject(trained.networks, dataset, objective, _SPLITS[arguments.split])


def _print_rows(names: Sequence[str], rows: Sequence[tuple[Sequence[str], Mapping[str, float]]]) -> None:
    """A table of texts followed by metrics, which are those of the first row."""
    metrics = tuple(rows[0][1])
    table = output.table(*names, *metrics, right=(*names, *metrics))
    for texts, found in rows:
        table.add_row(*texts, *(output.number(found.get(name)) for name in metrics))
    output.console().print(table)
