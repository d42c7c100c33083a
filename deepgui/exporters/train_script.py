"""The text of ``train.py``: trains the exported network from scratch, with plain PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

from deepgui.catalog.spec import Value
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.load_snippets import loader
from deepgui.project.values import TrainingConfig

_TEXT = '''\
"""Train {name} from scratch: python train.py

Writes {module}.safetensors, which predict.py reads.
"""

from __future__ import annotations

{imports}

from {module} import {name}
from predict import {scaling}

EPOCHS = {epochs}
BATCH_SIZE = {batch_size}
SEED = {seed}
HELD_BACK = {held}  # fraction of the examples that training never sees


{loader}


def main() -> None:
    asked = argparse.ArgumentParser(description="Train {name} from scratch; writes {module}.safetensors.")
    asked.add_argument("--epochs", type=int, default=EPOCHS, help="%(default)s if left out")
    epochs = asked.parse_args().epochs
    torch.manual_seed(SEED)
    device = torch.accelerator.current_accelerator() or torch.device("cpu")
    inputs, targets = load_data()
    inputs = normalize(inputs)
{targets}    order = torch.randperm(len(inputs))
    held = max(1, int(len(order) * HELD_BACK))
    test, train = order[:held], order[held:]
    loader = DataLoader(TensorDataset(inputs[train], targets[train]), BATCH_SIZE, shuffle=True)

    model = {name}().to(device)
    loss_function = {loss}
    optimizer = {optimizer}
{scheduler}    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_function(model(x.to(device)), {wanted})
            loss.backward()
{clip}            optimizer.step()
{step}            total += loss.item() * len(x)
{epoch_step}        print(f"epoch {{epoch}}: loss {{total / len(train):.4f}}")

    model.eval()
    with torch.no_grad():
        answers = model(inputs[test].to(device)).cpu()
{measure}
    save_file({{name: t.cpu().contiguous() for name, t in model.state_dict().items()}}, "{module}.safetensors")


if __name__ == "__main__":
    main()
'''

_ACCURACY = """\
    accuracy = (answers.argmax(1) == targets[test]).float().mean().item()
    print(f"test accuracy {accuracy:.4f}")"""

_ERROR = """\
    error = ((answers - targets[test]) * TARGET_SCALE).square().mean().sqrt().item()
    print(f"test error (RMSE) {error:.4f}")"""

# What PyTorch does not choose by itself, as an expression of the script's own names.
_PLANNED: Mapping[str, Mapping[str, str]] = {
    "OneCycleLR": {"max_lr": "{lr}", "total_steps": "epochs * len(loader)"},
    "CyclicLR": {"base_lr": "{lr} / 10", "max_lr": "{lr}", "step_size_up": "2 * len(loader)"},
    "CosineAnnealingLR": {"T_max": "epochs"},
    "CosineAnnealingWarmRestarts": {"T_0": "max(1, epochs // 4)"},
    "StepLR": {"step_size": "max(1, epochs // 3)"},
    "MultiStepLR": {"milestones": "[epochs // 2, epochs * 3 // 4]"},
    "ExponentialLR": {"gamma": "0.01 ** (1 / epochs)"},
}
_EACH_STEP = ("OneCycleLR", "CyclicLR")
_THRESHOLDS = {"SmoothL1Loss": "beta", "HuberLoss": "delta"}

_BALANCE = '''

def balance(labels: Tensor) -> Tensor:
    """Weights that let rare classes count as much as frequent ones."""
    counts = torch.bincount(labels).float()
    return counts.sum() / (len(counts) * counts)'''

_SINGLE = """\
    accuracy = ((answers.flatten() > 0) == targets[test]).float().mean().item()
    print(f"test accuracy {accuracy:.4f}")"""


def train_script(subject: Exportable, module: str, name: str) -> str:
    """The script for a network of one Input.

    Args:
        module: stem of the exported module's file.
        name: the exported class.
    """
    config, data = subject.project.training, subject.project.data
    classify = bool(subject.target and subject.target.classes)
    load, single, loss = loader(subject), subject.single_output, _loss(config, classify)
    wanted = load.from_predict
    third = ["from safetensors.torch import save_file", "from torch import Tensor, nn"]
    third += ["from torch.utils.data import DataLoader, TensorDataset"]
    standard = sorted({"import argparse", *load.standard})
    imports = [*standard, "", *sorted({*load.imports, "import torch", *third}, key=_import_order)]
    return _TEXT.format(
        name=name,
        module=module,
        imports="\n".join(imports).strip(),
        scaling=", ".join(sorted({*wanted, "normalize", *([] if classify else ["TARGET_SCALE", "TARGET_SHIFT"])})),
        epochs=config.epochs,
        batch_size=config.batch_size,
        seed=config.seed,
        held=round(data.validation + data.test, 4),
        loader=load.text.strip() + (_BALANCE if "balance(" in loss else ""),
        wanted="y.to(device).float().unsqueeze(1)" if single else "y.to(device)",
        targets="" if classify else "    targets = (targets - TARGET_SHIFT) / TARGET_SCALE\n",
        loss=loss,
        optimizer=f"torch.optim.{config.optimizer}(model.parameters(){_arguments(config.optimizer_options)})",
        scheduler=_scheduler(config),
        clip=_clip(config),
        step="            scheduler.step()\n" if config.scheduler in _EACH_STEP else "",
        epoch_step=_epoch_step(config),
        measure=_SINGLE if single else _ACCURACY if classify else _ERROR,
    )


def _import_order(line: str) -> tuple[bool, str]:
    """isort's order: plain imports first, then by module without case."""
    return line.startswith("from"), line.lower()


def _arguments(options: Mapping[str, Value]) -> str:
    return "".join(f", {key}={value!r}" for key, value in options.items())


def _loss(config: TrainingConfig, classify: bool) -> str:
    """The loss with the objective's settings, as its constructor takes them."""
    options = config.objective_options
    loss = str(options.get("loss") or ("CrossEntropyLoss" if classify else "MSELoss"))
    arguments = []
    if options.get("class_weights") and loss == "BCEWithLogitsLoss":
        arguments.append("pos_weight=(targets[train] == 0).sum() / (targets[train] == 1).sum()")
    elif options.get("class_weights"):
        arguments.append("weight=balance(targets[train]).to(device)")
    if options.get("label_smoothing") and loss == "CrossEntropyLoss":
        arguments.append(f"label_smoothing={options['label_smoothing']!r}")
    if loss in _THRESHOLDS and options.get("threshold") is not None:
        arguments.append(f"{_THRESHOLDS[loss]}={options['threshold']!r}")
    return f"nn.{loss}({', '.join(arguments)})"


def _clip(config: TrainingConfig) -> str:
    if config.clip_grad_norm is None:
        return ""
    return f"            nn.utils.clip_grad_norm_(model.parameters(), {config.clip_grad_norm!r})\n"


def _scheduler(config: TrainingConfig) -> str:
    if not config.scheduler:
        return ""
    lr = config.optimizer_options.get("lr", 1e-3)
    planned = {name: text.format(lr=lr) for name, text in _PLANNED.get(config.scheduler, {}).items()}
    given = {key: repr(value) for key, value in config.scheduler_options.items() if value is not None}
    arguments = "".join(f", {key}={value}" for key, value in {**planned, **given}.items())
    return f"    scheduler = torch.optim.lr_scheduler.{config.scheduler}(optimizer{arguments})\n"


def _epoch_step(config: TrainingConfig) -> str:
    if not config.scheduler or config.scheduler in _EACH_STEP:
        return ""
    what = "total / len(train)" if config.scheduler == "ReduceLROnPlateau" else ""
    return f"        scheduler.step({what})\n"
