"""The tables and figures of Matsuo et al., measured again, `snakemake healthspan_paper`.

In:  settings; the shipped weights; real images where they are at hand
Out: results/healthspan/paper/: weights of ResNet-RS, ViT, MLP-Mixer and of the semantic baseline;
     states.tsv and confusion matrices (table 5, figure 15), detection.tsv (tables 2 and 3),
     curves.tsv (figure 16), healthspan-paper.tsv and the page healthspan-paper.md

A training that was interrupted goes on from its checkpoint.
"""

from snakescope.healthspan.paper.planning import data_folder
from snakescope.healthspan.paper.settings import STATE_MODELS

PAPER = "results/healthspan/paper"
PAPER_DATA = data_folder(tree.settings.evaluation)
PAPER_MODELS = expand(f"{PAPER}/{{architecture}}.safetensors", architecture=STATE_MODELS)


rule paper_classifier:
    output:
        f"{PAPER}/{{architecture}}.safetensors",
    log:
        "logs/healthspan/paper/{architecture}.log",
    benchmark:
        "results/benchmarks/healthspan/paper/{architecture}.tsv"
    wildcard_constraints:
        architecture="|".join(STATE_MODELS),
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("paper_classifier").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("paper_classifier"),
        runtime=tree.runtime("paper_classifier"),
    params:
        version=tree.version("paper_classifier"),
        recorded=tree.recorded("paper_classifier"),
        settings=tree.unrecorded("paper_classifier"),
        checkpoint="training/paper_{architecture}.ckpt",
    shell:
        "python -m snakescope healthspan paper_classifier --architecture {wildcards.architecture}"
        " --settings {params.settings:q} --checkpoint {params.checkpoint:q} --weights {output:q}"
        " > {log:q} 2>&1"


rule paper_semantic:
    output:
        f"{PAPER}/semantic.safetensors",
    log:
        "logs/healthspan/paper/semantic.log",
    benchmark:
        "results/benchmarks/healthspan/paper/semantic.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("paper_semantic").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("paper_semantic"),
        runtime=tree.runtime("paper_semantic"),
    params:
        version=tree.version("paper_semantic"),
        recorded=tree.recorded("paper_semantic"),
        settings=tree.unrecorded("paper_semantic"),
        checkpoint="training/paper_semantic.ckpt",
    shell:
        "python -m snakescope healthspan paper_semantic --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --weights {output:q} > {log:q} 2>&1"


rule paper_states:
    input:
        PAPER_MODELS,
    output:
        rows=f"{PAPER}/states.tsv",
        confusions=f"{PAPER}/confusions.tsv",
        pictures=[f"{PAPER}/confusion_steady.png", f"{PAPER}/confusion_unsteady.png"],
    log:
        "logs/healthspan/paper/states.log",
    benchmark:
        "results/benchmarks/healthspan/paper/states.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper_states"),
        runtime=tree.runtime("paper_states"),
    params:
        version=tree.version("paper_states"),
        settings=tree.recorded("paper_states"),
        classifier=tree.classifier,
        detector=tree.detector,
        sha256=[tree.checksum(tree.classifier), tree.checksum(tree.detector)],
        data=PAPER_DATA,
    shell:
        "python -m snakescope healthspan paper_states --weights {input:q}"
        " --classifier {params.classifier:q} --detector {params.detector:q} --data={params.data:q}"
        " --settings {params.settings:q} --rows {output.rows:q} --confusions {output.confusions:q}"
        " --pictures {output.pictures:q} > {log:q} 2>&1"


rule paper_detection:
    input:
        rules.paper_semantic.output,
    output:
        rows=f"{PAPER}/detection.tsv",
        picture=f"{PAPER}/detection.png",
    log:
        "logs/healthspan/paper/detection.log",
    benchmark:
        "results/benchmarks/healthspan/paper/detection.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper_detection"),
        runtime=tree.runtime("paper_detection"),
    params:
        version=tree.version("paper_detection"),
        settings=tree.recorded("paper_detection"),
        detector=tree.detector,
        sha256=tree.checksum(tree.detector),
        data=PAPER_DATA,
        kept="training/paper_detection",
    shell:
        "python -m snakescope healthspan paper_detection --semantic {input:q}"
        " --detector {params.detector:q} --data={params.data:q} --kept {params.kept:q}"
        " --settings {params.settings:q} --rows {output.rows:q} --picture {output.picture:q}"
        " > {log:q} 2>&1"


rule paper_curves:
    input:
        PAPER_MODELS,
    output:
        rows=f"{PAPER}/curve_distances.tsv",
        curves=f"{PAPER}/curves.tsv",
        picture=f"{PAPER}/curves.png",
    log:
        "logs/healthspan/paper/curves.log",
    benchmark:
        "results/benchmarks/healthspan/paper/curves.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper_curves"),
        runtime=tree.runtime("paper_curves"),
    params:
        version=tree.version("paper_curves"),
        settings=tree.recorded("paper_curves"),
        states=tree.recorded("paper_states"),
        classifier=tree.classifier,
        sha256=tree.checksum(tree.classifier),
    shell:
        "python -m snakescope healthspan paper_curves --weights {input:q}"
        " --classifier {params.classifier:q} --settings {params.settings:q}"
        " --states-settings {params.states:q} --rows {output.rows:q} --curves {output.curves:q}"
        " --picture {output.picture:q} > {log:q} 2>&1"


rule paper:
    input:
        rows=[
            rules.paper_states.output.rows,
            rules.paper_detection.output.rows,
            rules.paper_curves.output.rows,
        ],
        confusions=rules.paper_states.output.confusions,
    output:
        table=f"{PAPER}/healthspan-paper.tsv",
        page=f"{PAPER}/healthspan-paper.md",
    log:
        "logs/healthspan/paper/page.log",
    benchmark:
        "results/benchmarks/healthspan/paper/page.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("paper"),
        runtime=tree.runtime("paper"),
    params:
        version=tree.version("paper"),
        classifier=tree.recorded("paper_classifier"),
        semantic=tree.recorded("paper_semantic"),
    shell:
        "python -m snakescope healthspan paper --rows {input.rows:q}"
        " --confusions {input.confusions:q} --classifier-training {params.classifier:q}"
        " --semantic-training {params.semantic:q} --table {output.table:q} --page {output.page:q}"
        " > {log:q} 2>&1"
