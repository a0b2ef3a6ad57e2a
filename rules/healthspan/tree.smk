"""Opens the healthspan tree: from raw frames of plates to survival and healthspan curves.

In:  the sample sheet (`healthspan: plates:`) and the raw folders it names.
Out: results/healthspan/<plate>/manifest/<block>.tsv, results/healthspan/status.tsv and
     results/healthspan/experiments/<experiment>/plates.tsv and left_out.tsv, written here by
     the main process, only where their content changed; jobs read them, not the raw folders.
     Beside a run at work, what is there stays as that run found it.
"""

from snakescope.settings.sheet import LEGAL_NAME
from snakescope.tree.versions import version_of
from snakescope.settings.weights import weights_checksum, weights_file
from snakescope.healthspan.failures import finished, unfinished
from snakescope.healthspan.models import models as healthspan_models
from snakescope.healthspan.plates.sheet import read_plates
from snakescope.healthspan.tree import Tree
from snakescope.healthspan.without_failed import compare_without_failed
from snakemake.logging import logger

settings = sections["healthspan"]
# Relative, since they enter the parameters: a moved folder is no reason to compute again.
DETECTOR = weights_file(settings.detect.weights, workflow.basedir)
CLASSIFIER = weights_file(settings.classify.weights, workflow.basedir)

try:
    tree = Tree(read_plates(settings.plates) if ASKED.plates else (), settings)
    if workflow.is_main_process and ASKED.plates:
        for note in tree.scan(only_new=bool(announcer.beside)):
            logger.warning(note)
except StepError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    plate=LEGAL_NAME.pattern,
    experiment=LEGAL_NAME.pattern,
    block=r"t\d\d\d+-t\d\d\d+",


report: "../../resources/report/workflow.rst"


include: "ingest.smk"
include: "register.smk"
include: "detect.smk"
include: "classify.smk"
include: "track.smk"
include: "curves.smk"
include: "pages.smk"
include: "plates.smk"
include: "experiment.smk"
include: "simulate.smk"
include: "train.smk"
include: "evaluate.smk"


rule healthspan:
    input:
        lambda wildcards: tree.targets(),
