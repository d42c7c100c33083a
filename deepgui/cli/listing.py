"""``deepgui layers`` and ``deepgui samples``."""

from __future__ import annotations

import difflib
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.paths import samples as samples_folder


def layers(arguments: Namespace) -> int:
    """List all layer kinds, or explain one."""
    known = _known(whole=arguments.json and arguments.kind is None)
    if arguments.kind is None:
        _list_layers(known, as_json=arguments.json)
        return DONE
    if arguments.kind not in known:
        near = difflib.get_close_matches(arguments.kind.lower(), {k.lower(): k for k in known}, n=1)
        hint = next((k for k in known if near and k.lower() == near[0]), "")
        raise CommandError(f"there is no layer {arguments.kind!r}" + (f"; did you mean {hint}?" if hint else "."))
    spec = known[arguments.kind]
    if arguments.json:
        output.print_json(_layer(spec))
    else:
        _explain(spec)
    return DONE


def _known(*, whole: bool) -> Mapping[str, LayerSpec]:
    """All layers: as the last start found them, if that can do, since torch alone takes seconds to import."""
    from deepgui.catalog import snapshot

    remembered = None if whole else snapshot.load()
    if remembered is not None:
        return remembered
    from deepgui.catalog.builtin import registry

    found = registry()
    snapshot.save(found)
    return found


def _list_layers(known: Mapping[str, LayerSpec], *, as_json: bool) -> None:
    if as_json:
        from deepgui.catalog.coverage import coverage  # needs torch

        found = coverage(known)
        covered = {
            "torch": found.torch,
            "percent": found.percent,
            "layers": len(found.layers),
            "losses": len(found.losses),
            "operations": len(found.operations),
            "missing": list(found.missing),
            "left_out": dict(found.left_out),
        }
        output.print_json({"layers": [_layer(spec) for spec in known.values()], "coverage": covered})
        return
    table = output.table("kind", "category", "what it does")
    for spec in sorted(known.values(), key=lambda s: (s.category, s.kind)):
        table.add_row(spec.kind, spec.category, spec.summary)
    out = output.console()
    out.print(table)
    modules = sum(spec.form == "module" for spec in known.values())
    operations = sum(spec.form == "function" for spec in known.values())
    out.print(f"\n{modules} layers and losses, {operations} operations; --json says how much of torch.nn that is")


def _target(spec: LayerSpec) -> str:
    """What is called, as it is written: ``torch.nn.Conv2d``, ``input.expand``, ``input[index]``."""
    return spec.source.partition("(")[0] or spec.target


def _layer(spec: LayerSpec) -> dict[str, Any]:
    return {
        "kind": spec.kind,
        "target": _target(spec),
        "category": spec.category,
        "summary": spec.summary,
        "is_loss": spec.is_loss,
        "inputs": [{"name": p.name, "optional": p.optional, "variadic": p.variadic} for p in spec.inputs],
        "outputs": [p.name for p in spec.outputs],
        "params": [_param(p) for p in spec.params],
    }


def _param(param: ParamSpec) -> dict[str, Any]:
    inferred = f"{param.infer.port}[{param.infer.dim}]" if param.infer else None
    return {
        "name": param.name,
        "type": param.type,
        "default": param.default,
        "required": param.required and not param.infer,
        "inferred_from": inferred,
        "choices": list(param.choices),
        "doc": param.doc,
    }


def _explain(spec: LayerSpec) -> None:
    out = output.console()
    out.print(f"{spec.kind}  ({spec.category}; {_target(spec) or 'DeepGUI'})\n{spec.summary}\n")
    out.print(f"inputs   {', '.join(map(_port, spec.inputs)) or 'none'}")
    out.print(f"outputs  {', '.join(p.name for p in spec.outputs) or 'none'}\n")
    if spec.params:
        table = output.table("parameter", "type", "default", "")
        for param in spec.params:
            table.add_row(param.name, param.type, _default(param), param.doc)
        out.print(table)


def _port(port: PortSpec) -> str:
    return f"{port.name}{'...' if port.variadic else ''}{' (optional)' if port.optional else ''}"


def _default(param: ParamSpec) -> str:
    if param.infer:
        return "from the wire"
    return "required" if param.required else repr(param.default)


def samples(arguments: Namespace) -> int:
    """List the sample projects and the templates. Reads only the files: torch is not needed."""
    from deepgui.library import templates

    found = [_sample(path) for path in sorted(samples_folder().glob("*.deepgui"))]
    drawn = [{**_sample(t.path), "parameters": t.parameters} for t in templates().values()]
    if arguments.json:
        output.print_json({"samples": found, "templates": drawn})
        return DONE
    table = output.table("sample", "layers", "what to watch")
    for sample in found:
        table.add_row(sample["name"], str(sample["layers"]), sample["summary"])
    out = output.console()
    out.print(table)
    table = output.table("template", "parameters", "what it is")
    for sample in drawn:
        table.add_row(f"templates/{sample['name']}", f"{sample['parameters']:,}", sample["summary"])
    out.print(table)
    out.print(f"\nopen one with: deepgui {samples_folder() / 'NAME.deepgui'}")
    return DONE


def _sample(path: Any) -> dict[str, Any]:
    from deepgui.project.file import read

    project = read(path)
    picture = path.parent / "pictures" / f"{path.stem}.png"
    inner = [n for n in project.main.nodes.values() if n.kind not in ("Input", "Output")]
    return {
        "name": path.stem,
        "title": project.name,
        "path": str(path),
        "picture": str(picture) if picture.is_file() else None,
        "summary": project.notes.partition("\n")[0],
        "notes": project.notes,
        "data": project.data.source,
        "objective": project.training.objective,
        "layers": len(inner),
    }
