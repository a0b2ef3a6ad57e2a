"""Experiments: the conditions of an experiment compared, and its data as others read them.

In:  experiments/<experiment>/plates.tsv (main process, see tree.smk); individuals.tsv and
     summary.tsv of its plates
Out: survival.tsv, tests.tsv, cox.tsv, curves.svg, curves.png; for other programs
     oasis2_lifespan.txt, oasis2_healthspan.txt, prism_lifespan.csv, prism_healthspan.csv, jmp.csv
"""


rule healthspan_experiment:
    input:
        plates="results/healthspan/experiments/{experiment}/plates.tsv",
        individuals=tree.of_experiment("individuals.tsv"),
        summaries=tree.of_experiment("summary.tsv"),
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
        version=version_of("healthspan", "experiment"),
        settings=tree.settings_of("experiment"),
    shell:
        "python -m snakescope healthspan experiment --plates {input.plates:q}"
        " --individuals {input.individuals:q} --summaries {input.summaries:q}"
        " --experiment {wildcards.experiment:q} --settings {params.settings:q}"
        " --survival {output.survival:q} --tests {output.tests:q} --cox {output.cox:q}"
        " --figures {output.svg:q} {output.png:q} --oasis {output.oasis:q}"
        " --prism {output.prism:q} --jmp {output.jmp:q} > {log:q} 2>&1"
