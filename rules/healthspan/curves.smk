"""Curves of a plate: who is alive and who is healthy, over time.

In:  individuals.tsv, counts.tsv
Out: curves.tsv, summary.tsv, curves.svg, curves.png
"""


rule healthspan_curves:
    input:
        individuals="results/healthspan/{plate}/individuals.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
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
        version=version_of("healthspan", "curves"),
        settings=tree.settings_of("curves"),
        experiment=lambda wildcards: tree.sheet[wildcards.plate].experiment,
        condition=lambda wildcards: tree.sheet[wildcards.plate].condition,
        time_axis=lambda wildcards: tree.sheet[wildcards.plate].time_axis,
    shell:
        "python -m snakescope healthspan curves --individuals {input.individuals:q} --counts {input.counts:q}"
        " --plate {wildcards.plate:q} --experiment {params.experiment:q}"
        # Joined to its option, as a condition such as -FUDR would be taken for one.
        " --condition={params.condition:q} --time-axis {params.time_axis:q}"
        " --settings {params.settings:q}"
        " --curves {output.curves:q} --summary {output.summary:q}"
        " --figures {output.svg:q} {output.png:q} > {log:q} 2>&1"
