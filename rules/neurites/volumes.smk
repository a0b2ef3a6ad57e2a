"""Ingest: every volume as one Zarr array, slab by slab; volumes that cannot be used.

In:  manifest/volume.json, manifest/problem.txt (written when the tree is opened); the volume's own files
Out: image.zarr, labels.zarr; nothing for an unusable volume, whose rule fails

SNEMI3D from its public archive, for machines that reach it.

In:  settings only
Out: fetched/neurites/snemi.zip; fetched/neurites/snemi3d/<part>/image.tif, labels.tif of the parts
     train and held_out, image.tif of the part challenge
"""


rule describe:
    output:
        "results/neurites/{volume}/{kind}.zarr/.zarray",
    log:
        "logs/neurites/describe/{volume}/{kind}.log",
    benchmark:
        "results/benchmarks/neurites/describe/{volume}/{kind}.tsv"
    wildcard_constraints:
        kind="image|labels",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        version=tree.version("describe"),
        manifest=tree.file("{volume}/manifest/volume.json"),
        shape=tree.shape,
        depth=tree.slab_depth,
        settings=tree.recorded("ingest"),
    shell:
        "python -m snakescope neurites ingest --manifest {params.manifest:q} --kind {wildcards.kind}"
        " --depth {params.depth} --settings {params.settings:q}"
        " --array {output:q} > {log:q} 2>&1"


rule ingest:
    input:
        tree.slab_files,
    output:
        directory("results/neurites/{volume}/{kind}.zarr/{slab}"),
    log:
        "logs/neurites/ingest/{volume}/{kind}-{slab}.log",
    benchmark:
        "results/benchmarks/neurites/ingest/{volume}/{kind}-{slab}.tsv"
    wildcard_constraints:
        kind="image|labels",
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("ingest"),
        runtime=tree.runtime("ingest"),
    params:
        version=tree.version("ingest"),
        manifest=tree.file("{volume}/manifest/volume.json"),
        shape=tree.shape,
        sections=tree.slab_sections,
        stated=tree.slab_stated,
        depth=tree.slab_depth,
        settings=tree.recorded("ingest"),
    shell:
        "python -m snakescope neurites ingest --manifest {params.manifest:q} --kind {wildcards.kind}"
        " --sections {params.sections} --depth {params.depth}"
        " --settings {params.settings:q} --array {output:q} > {log:q} 2>&1"


rule fetch:
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
        version=tree.version("fetch"),
        settings=tree.recorded("fetch", "url", "md5"),
    shell:
        "python -m snakescope neurites fetch --settings {params.settings:q} --archive {output:q} > {log:q} 2>&1"


rule unpack:
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
        mem_mb=tree.memory("unpack"),
        runtime=tree.runtime("unpack"),
    params:
        version=tree.version("unpack"),
        settings=tree.recorded("fetch", "train_sections"),
    shell:
        "python -m snakescope neurites unpack --archive {input:q} --settings {params.settings:q}"
        " --folder fetched/neurites/snemi3d > {log:q} 2>&1"
