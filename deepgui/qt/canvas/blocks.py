"""What can be done with blocks on the canvas: make and take apart, go in and out, bypass, share, repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import Value
from deepgui.graph import blocks, edits, grouping
from deepgui.graph.grouping import GroupingError
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network
from deepgui.project import blocks as project_blocks
from deepgui.project.values import Project, with_block
from deepgui.qt.shelf import catalogue

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

MOST_REPEATS = 1000


class BlockActions:
    """Each action is one step of undo over the drawing and the project's blocks together."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._session = view.session

    # -- which nodes -------------------------------------------------------------------------------

    def is_block(self, node: str) -> bool:
        """Whether a node of the drawing in view uses a block of the project that is drawn."""
        used, session = self._session.network.nodes.get(node), self._session
        return used is not None and used.kind in session.project.blocks and not session.is_written(used.kind)

    def is_written(self, node: str) -> bool:
        """Whether a node of the drawing in view is a layer that the project has in Python."""
        used = self._session.network.nodes.get(node)
        return used is not None and self._session.is_written(used.kind)

    def chosen(self) -> list[str]:
        """The selected nodes, in the order of the drawing."""
        return [n for n in self._session.network.nodes if n in self._session.selection]

    def _one_block(self, node: str = "") -> str:
        """The node given, or the one selected, if it uses a block; else an empty string."""
        found = [node] if node else self.chosen()
        return found[0] if len(found) == 1 and self.is_block(found[0]) else ""

    # -- making and taking apart -------------------------------------------------------------------

    def group(self) -> None:
        """Make a block of the selected nodes and ask for its name where it stands."""
        session, made = self._session, [""]
        name = project_blocks.free_name(session.project, "Block", catalogue(session))
        params = session.block.params if session.block else ()

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            pinned = self._view.act.pinned(network)
            block, network, made[0] = grouping.make_block(pinned, session.selection, name, params)
            return with_block(project, name, block), network

        if self._try("Make a block", change):
            session.select(made)
            self._view.overlays.rename_kind(made[0], self._name_new)

    def ungroup(self) -> None:
        """Put what is in the selected blocks in their place. A block that nothing uses any more goes."""
        session, made = self._session, []
        wanted = [n for n in self.chosen() if self.is_block(n)]
        if not wanted:
            self._view.overlays.say("Select a block to take it apart.")
            return

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            apart = [network.nodes[node] for node in wanted]
            for kind in dict.fromkeys(node.kind for node in apart):
                if all(any(use.node is node for node in apart) for use in project_blocks.uses(project, kind)):
                    blocks = {name: block for name, block in project.blocks.items() if name != kind}
                    project = replace(project, blocks=blocks)
            network = self._view.act.pinned(network)
            for node in wanted:
                network, laid = grouping.ungroup(network, node, session.registry)
                made.extend(laid)
            return project, network

        if self._try("Take apart", change):
            session.select(made)

    def _try(self, label: str, change: Callable[[Project, Network], tuple[Project, Network]]) -> bool:
        """Make an edit; False if it is refused, which the canvas then says."""
        try:
            self._session.edit_with_blocks(label, change)
        except GroupingError as refusal:
            self._view.overlays.say(str(refusal))
            return False
        return True

    def name(self, node: str, name: str) -> None:
        """Call the block that a node uses something else."""
        session, used = self._session, self._session.network.nodes.get(node)
        if used is None or used.kind not in session.project.blocks:
            return

        def change(project: Project) -> Project:
            return project_blocks.rename(project, used.kind, name, catalogue(session))[0]

        session.edit_project(f"Rename block {used.kind}", change)

    def _name_new(self, node: str, name: str) -> None:
        """Name a block that has just been made, and the node that stands for it likewise."""
        session, used = self._session, self._session.network.nodes.get(node)
        if used is None or used.kind not in session.project.blocks or edits.identifier(name) == used.kind:
            return

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            project, new = project_blocks.rename(project, used.kind, name, catalogue(session))
            network = project_blocks.with_kinds(network, {used.kind: new})
            return project, edits.rename_node(network, node, edits.snake(new))

        session.edit_with_blocks(f"Rename block {used.kind}", change)

    def make_unique(self, node: str = "") -> None:
        """Give one use a block of its own, like the one that it shared with others."""
        session, inside = self._session, False
        use = self._one_block(node)
        if not use and not session.selection and session.levels and session.levels[-1].node:
            use, inside = session.levels[-1].node, True
        if not use:
            self._view.overlays.say("Select the block that should have a drawing of its own.")
            return
        place = session.levels[-1].place if inside else None
        if inside:
            session.leave()
        kind = session.network.nodes[use].kind

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            project, copy = project_blocks.copied(project, kind, catalogue(session))
            return project, project_blocks.with_kind(network, use, copy)

        session.edit_with_blocks("Make unique", change)
        if inside:
            session.enter(use, place or 0)

    # -- going in and out --------------------------------------------------------------------------

    def enter(self, node: str = "") -> None:
        """Look into a block, the one given or selected, or at the code of a layer written in Python."""
        found = [node] if node else self.chosen()
        if len(found) == 1 and (self.is_block(found[0]) or self.is_written(found[0])):
            self._session.enter(found[0])
        elif self.chosen():
            self._view.overlays.say("Only blocks can be entered; F2 renames a layer.")

    def go_to(self, problem: Problem) -> None:
        """Show a problem that is inside a block where it sits, and the way out of it."""
        self._session.show(problem.path, here=True)
        for node in self._session.selection:
            self._view.centre_on(node)
            self._view.overlays.show_problems(node)

    def leave(self, depth: int | None = None) -> bool:
        """Look at the drawing around, or further out; the node one was in is then selected. False at the top."""
        levels = self._session.levels
        if not levels:
            return False
        depth = len(levels) - 1 if depth is None else depth
        node = levels[depth].node if depth < len(levels) else ""
        self._session.leave(depth)
        if node:
            self._session.select((node,))
        return True

    def step(self, by: int) -> None:
        """Look into the next or the previous one of a row."""
        place, count = self.place()
        if count:
            self._session.step((place + by) % count)

    def place(self) -> tuple[int, int]:
        """Which one of how many in a row one is in; (0, 0) if it is no row."""
        levels = self._session.levels
        if not levels or levels[-1].place is None:
            return 0, 0
        return levels[-1].place, max(self._session.in_row(len(levels) - 1) or 0, levels[-1].place + 1)

    # -- how nodes take part -----------------------------------------------------------------------

    def bypass(self, nodes: Collection[str] = ()) -> None:
        """Hand the first input of the nodes on in place of their result; or no more, if all of them do already."""
        network = self._session.network
        wanted = [n for n in nodes or self.chosen() if network.nodes[n].kind not in ("Input", "Output")]
        if not wanted:
            self._view.overlays.say("Select the layers to bypass.")
            return
        on = not all(network.nodes[n].bypass is True for n in wanted)

        def change(network: Network) -> Network:
            for node in wanted:
                network = edits.bypass(network, node, on)
            return network

        self._session.edit("Bypass" if on else "Bypass no more", change)

    def share(self, node: str, other: str) -> None:
        """Let a node use the weights of another; an empty ``other`` gives it its own."""
        self._session.edit("Share weights" if other else "Own weights", lambda net: edits.share(net, node, other))

    def ask_repeat(self, node: str = "") -> None:
        """Ask how many of a block should stand in a row: of the one given or selected."""
        use = self._one_block(node)
        if use:
            self._view.overlays.repeat(use)
        else:
            self._view.overlays.say("Select the block to put several of in a row.")

    def repeat(self, node: str, text: str) -> None:
        """How many of a block stand in a row: a number or an expression; nothing or 1 for a single one."""
        bare = text.strip().removeprefix("×").strip()
        value: Value = Expr(bare[1:].strip()) if bare.startswith("=") else int(bare) if bare.isdecimal() else None
        if (bare and value is None) or (isinstance(value, int) and value > MOST_REPEATS):
            self._view.overlays.say(f"A block is repeated by a whole number up to {MOST_REPEATS}, not “{text}”.")
            return
        name = blocks.REPEAT.name
        if value in (None, 1):
            self._session.edit("Repeat no more", lambda net: edits.unset_param(net, node, name))
        else:
            self._session.edit("Repeat", lambda net: edits.set_params(net, node, {name: value}))
