"""Settings of the state classifier's training (paper, section 4.3.1 and table 4)."""

from typing import Literal

from pydantic import Field

from configuration.strict import Settings


class TrainClassifierSettings(Settings):
    """What is trained, on how many simulated composites, and for how long."""

    architecture: Literal["mlp_mixer", "resnet_rs", "vit"] = Field(
        "mlp_mixer", description="the model; the MLP-Mixer was the best of the paper"
    )
    seed: int = Field(1, ge=0, description="seed of the composites, the weights and the order")
    per_state: int = Field(
        5000, ge=8, description="training composites of each of the three states"
    )
    validation_per_state: int = Field(
        400, ge=8, description="composites of each state on which the probabilities are calibrated"
    )
    held_out_per_state: int = Field(
        500, ge=8, description="composites of each state, of unlike plates, for the model card"
    )
    epochs: int = Field(12, ge=1, description="passes over the training composites")
    batch: int = Field(32, ge=1, description="composites per step (16 in the paper)")
    learning_rate: float = Field(
        0.001, gt=0, description="of RAdam at the start; falls to 0 along half a cosine"
    )
    weight_decay: float = Field(0.02, ge=0, description="decoupled weight decay of RAdam")
    label_smoothing: float = Field(
        0.03, ge=0, lt=0.5, description="share of the target given to the other states"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where to train; only the CPU repeats a training bit for bit"
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads")
