"""The toy tree: drawn images to their class, the smallest tree of trained models."""

from typing import ClassVar

from pydantic import Field
from snakescope.toy.settings import FitSettings, ToySettings

from snakescope.settings.sheet import Name, Row
from snakescope.tree.costs import Cost
from snakescope.tree.steps import Step
from snakescope.tree.trained import COSTS, FOLDER, STEPS, Trained


class Toy(Row):
    """A drawn image."""

    reserved: ClassVar[tuple[str, ...]] = (FOLDER,)

    name: Name = Field(alias="toy", description="name of the toy")
    child: str = Field("", description="who drew it: its drawings stay in one fold")
    label: str = Field(description="what it is")
    image: str = Field(description="path of the image")


class Toys(Trained[Toy]):
    """The toys of a sample sheet, and the models that tell what they are."""

    name = "toy"
    subject = "toy"
    row = Toy
    columns = ("label", "child", "image")
    section = ToySettings
    steps = STEPS | {
        "fit": Step("snakescope.toy.fit", FitSettings),
        "predict": Step("snakescope.toy.predict", FitSettings),
    }
    costs = COSTS | {"fit": Cost(150, {"item": 0.1}), "predict": Cost(150, {"item": 0.1})}
