"""The model of the neurites tree, and how another one is trained."""

from snakescope.settings.models import Model

TRAINING = "snakemake --cores 2 results/neurites/models/affinities.safetensors"


def models(network: str) -> dict[str, Model]:
    """The model of every rule that needs one, by the path of the weights."""
    return {"neurites_affinities": Model(network, "neurites: predict: weights", TRAINING)}
