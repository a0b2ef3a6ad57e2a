"""Curves of a plate: who is alive and who is healthy, over time.

In:  individuals.tsv, counts.tsv
Out: curves.tsv, summary.tsv, curves.svg, curves.png

Experiments: the conditions of an experiment compared, and its data as others read them.

In:  experiments/<experiment>/plates.tsv (written when the tree is opened); individuals.tsv and
     summary.tsv of its plates
Out: survival.tsv, tests.tsv, cox.tsv, curves.svg, curves.png; for other programs
     oasis2_lifespan.txt, oasis2_healthspan.txt, prism_lifespan.csv, prism_healthspan.csv, jmp.csv
"""


rule curves:
    input:
        individuals=tree.review.table("individuals.tsv"),
        counts=tree.review.table("counts.tsv"),
    output:
        curves="results/healthspan/{plate}/curves.tsv",
        summary="results/healthspan/{plate}/summary.tsv",
        svg="results/healthspan/{plate}/curves.svg",
        png=report(
            "results/healthspan/{plate}/curves.png",
            caption="../../resources/report/curves.rst",
            category="Plates",
            subcategory="{plate}",
            labels={"picture": "survival and healthspan"},
        ),
    log:
        "logs/healthspan/curves/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/curves/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("curves"),
        runtime=tree.runtime("curves"),
    params:
        version=tree.version("curves"),
        settings=tree.recorded("curves"),
        experiment=tree.of_row("experiment"),
        condition=tree.of_row("condition"),
        time_axis=tree.of_row("time_axis"),
    shell:
        "python -m snakescope healthspan curves --individuals {input.individuals:q} --counts {input.counts:q}"
        " --plate {wildcards.plate:q} --experiment {params.experiment:q}"
        # Joined to its option, as a condition such as -FUDR would be taken for one.
        " --condition={params.condition:q} --time-axis {params.time_axis:q}"
        " --settings {params.settings:q}"
        " --curves {output.curves:q} --summary {output.summary:q}"
        " --figures {output.svg:q} {output.png:q} > {log:q} 2>&1"


rule experiment:
    input:
        plates=tree.file("experiments/{experiment}/plates.tsv"),
        individuals=tree.of_experiment("individuals.tsv"),
        summaries=tree.of_experiment("summary.tsv"),
        provenances=tree.of_experiment("provenance.json"),
    output:
        survival="results/healthspan/experiments/{experiment}/survival.tsv",
        tests=report(
            "results/healthspan/experiments/{experiment}/tests.tsv",
            caption="../../resources/report/tests.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"picture": "log-rank tests"},
        ),
        cox=report(
            "results/healthspan/experiments/{experiment}/cox.tsv",
            caption="../../resources/report/cox.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"picture": "Cox regression"},
        ),
        svg="results/healthspan/experiments/{experiment}/curves.svg",
        png=report(
            "results/healthspan/experiments/{experiment}/curves.png",
            caption="../../resources/report/experiment.rst",
            category="Experiments",
            subcategory="{experiment}",
            labels={"picture": "conditions compared"},
        ),
        oasis=(
            "results/healthspan/experiments/{experiment}/oasis2_lifespan.txt",
            "results/healthspan/experiments/{experiment}/oasis2_healthspan.txt",
        ),
        prism=(
            "results/healthspan/experiments/{experiment}/prism_lifespan.csv",
            "results/healthspan/experiments/{experiment}/prism_healthspan.csv",
        ),
        jmp="results/healthspan/experiments/{experiment}/jmp.csv",
        provenance="results/healthspan/experiments/{experiment}/provenance.json",
    log:
        "logs/healthspan/experiment/{experiment}.log",
    benchmark:
        "results/benchmarks/healthspan/experiment/{experiment}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("experiment"),
        runtime=tree.runtime("experiment"),
    params:
        version=tree.version("experiment"),
        settings=tree.recorded("experiment"),
        configuration=tree.file("configuration.yaml"),
    shell:
        "python -m snakescope healthspan experiment --plates {input.plates:q}"
        " --individuals {input.individuals:q} --summaries {input.summaries:q}"
        " --experiment {wildcards.experiment:q} --settings {params.settings:q}"
        " --survival {output.survival:q} --tests {output.tests:q} --cox {output.cox:q}"
        " --figures {output.svg:q} {output.png:q} --oasis {output.oasis:q}"
        " --prism {output.prism:q} --jmp {output.jmp:q} --provenances {input.provenances:q}"
        " --configuration {params.configuration:q} --provenance {output.provenance:q} > {log:q} 2>&1"
