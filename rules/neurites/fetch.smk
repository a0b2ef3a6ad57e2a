"""SNEMI3D from its public archive, for machines that reach it.

In:  settings only
Out: fetched/neurites/snemi.zip; fetched/neurites/snemi3d/<part>/image.tif, labels.tif of the parts
     train and held_out, image.tif of the part challenge
"""


rule neurites_fetch:
    output:
        "fetched/neurites/snemi.zip",
    log:
        "logs/neurites/fetch.log",
    benchmark:
        "results/benchmarks/neurites/fetch.tsv"
    # Where Snakemake runs: nodes of a cluster often reach nothing.
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=400,
        runtime=60,
    params:
        version=version_of("neurites", "fetch"),
        settings=neurites_tree.settings_of("fetch", "url", "md5"),
    shell:
        "python -m snakescope neurites fetch --settings {params.settings:q} --archive {output:q} > {log:q} 2>&1"


rule neurites_unpack:
    input:
        "fetched/neurites/snemi.zip",
    output:
        expand(
            "fetched/neurites/snemi3d/{file}.tif",
            file=[
                "train/image",
                "train/labels",
                "held_out/image",
                "held_out/labels",
                "challenge/image",
            ],
        ),
    log:
        "logs/neurites/unpack.log",
    benchmark:
        "results/benchmarks/neurites/unpack.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        version=version_of("neurites", "unpack"),
        settings=neurites_tree.settings_of("fetch", "train_sections"),
    shell:
        "python -m snakescope neurites unpack --archive {input:q} --settings {params.settings:q}"
        " --folder fetched/neurites/snemi3d > {log:q} 2>&1"
