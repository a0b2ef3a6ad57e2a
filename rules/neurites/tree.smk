"""Opens the neurites tree: from volumes of electron micrographs to neurites.

In:  the sample sheet (`neurites: volumes:`) and the volumes it names; without a volume, nothing
Out: results/neurites/<volume>/manifest/volume.json, or problem.txt, written here by the main process
     only where their content changed; jobs read them instead of looking at the volumes. Beside a
     run at work, what is there stays as that run found it.
"""

from snakescope.settings.sheet import LEGAL_NAME
from snakescope.settings.weights import weights_checksum, weights_file
from snakescope.neurites.last_words import finished as neurites_finished
from snakescope.neurites.last_words import unfinished as neurites_unfinished
from snakescope.neurites.models import models as neurites_models
from snakescope.neurites.tree import Tree as NeuritesTree
from snakescope.neurites.volumes.sheet import read_volumes

neurites_settings = sections["neurites"]
# Relative, since it enters the parameters: a moved folder is no reason to compute again.
AFFINITY_NETWORK = weights_file(neurites_settings.predict.weights, workflow.basedir)

try:
    neurites_tree = NeuritesTree(
        () if ASKED.unlock else read_volumes(neurites_settings.volumes, ASKED.volumes),
        neurites_settings,
        network=AFFINITY_NETWORK,
    )
    if workflow.is_main_process and ASKED.neurites:
        for note in neurites_tree.scan(only_new=bool(announcer.beside)):
            logger.warning(note)
except StepError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    volume=LEGAL_NAME.pattern,
    box=r"z\d+-\d+_y\d+-\d+_x\d+-\d+",
    slab=r"\d+",


include: "ingest.smk"
include: "affinities.smk"
include: "fragments.smk"
include: "agglomerate.smk"
include: "segmentation.smk"
include: "evaluate.smk"
include: "pictures.smk"
include: "simulate.smk"
include: "fetch.smk"
include: "train.smk"
include: "paper.smk"


rule neurites:
    input:
        lambda wildcards: neurites_tree.targets(),
