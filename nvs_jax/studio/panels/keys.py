"""Key frames: set by flying there in the 3-D view and pressing a button."""

from typing import Any

from nvs_jax.studio import key_changes as changes
from nvs_jax.studio.flying import fly_to, pose_of
from nvs_jax.studio.page import Page, when_new
from nvs_jax.studio.session import Session
from nvs_jax.studio.widgets import bind


def keys_panel(gui: Any, page: Page) -> None:
    """Key frames of the path, one of which is chosen."""
    with gui.add_folder("Key frames"):
        words = gui.add_markdown("")
        add = gui.add_button("add one here", hint="Fly somewhere in the 3-D view first")
        chosen = gui.add_folder("one of them", visible=False)
        with chosen:
            number = gui.add_slider("key frame", min=1, max=2, step=1, initial_value=1)
            go, move, delete = (gui.add_button(text) for text in ("fly there", "move it here", "delete it"))
            follows = gui.add_checkbox("keep what is in the middle", page.session.follows)
            none = gui.add_button("none: the path of the settings")
        count = gui.add_slider("how many", min=2, max=12, step=1, initial_value=4)
        along = gui.add_button("take so many from the path")

    add.on_click(lambda event: page.change(changes.add_key, pose_of(event.client.camera)))
    move.on_click(lambda event: page.change(changes.move_key, int(number.value), pose_of(event.client.camera)))
    delete.on_click(lambda _: page.change(changes.delete_key, int(number.value)))
    along.on_click(lambda _: page.change(changes.keys_of_path, int(count.value)))
    none.on_click(lambda _: page.change(changes.with_keys, ()))
    followed = bind(
        follows, lambda: page.session.follows, lambda value: page.change(changes.with_follows, follows=value)
    )

    @go.on_click
    def _(event: Any) -> None:
        if number.value < len(page.session.keys):
            fly_to(event.client, page.session.keys[int(number.value)], page.session.distance)

    def show(session: Session) -> None:
        many = len(session.keys)
        words.content = f"{many} key frames; number 0 is the given view" if many else "none"
        chosen.visible = bool(many)
        last = max(many - 1, 2)
        if number.max != last:
            number.value, number.max = min(number.value, last), last
        followed.show()

    page.fast.append(when_new(lambda session: (session,), show))
