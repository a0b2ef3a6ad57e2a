"""Ingest: every volume as one Zarr array, slab by slab; volumes that cannot be used.

In:  manifest/volume.json, manifest/problem.txt (main process, see tree.smk); the volume's own files
Out: image.zarr, labels.zarr; nothing for an unusable volume, whose rule fails
"""


rule neurites_unusable:
    input:
        "results/neurites/{volume}/manifest/problem.txt",
    output:
        "results/neurites/{volume}/manifest/usable",
    log:
        "logs/neurites/unusable/{volume}.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=400,
        runtime=2,
    shell:
        "sed 's/^/error: /' {input:q} | tee {log:q} >&2; exit 1"


rule neurites_describe:
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
        version=version_of("neurites", "ingest"),
        manifest=neurites_tree.manifest,
        shape=neurites_tree.shape,
        depth=neurites_tree.slab_depth,
        settings=neurites_tree.settings_of("ingest"),
    shell:
        "python -m snakescope neurites ingest --manifest {params.manifest:q} --kind {wildcards.kind}"
        " --depth {params.depth} --settings {params.settings:q}"
        " --array {output:q} > {log:q} 2>&1"


rule neurites_ingest:
    input:
        neurites_tree.slab_files,
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
        mem_mb=neurites_tree.memory("ingest"),
        runtime=neurites_tree.runtime("ingest"),
    params:
        version=version_of("neurites", "ingest"),
        manifest=neurites_tree.manifest,
        shape=neurites_tree.shape,
        sections=neurites_tree.slab_sections,
        depth=neurites_tree.slab_depth,
        settings=neurites_tree.settings_of("ingest"),
    shell:
        "python -m snakescope neurites ingest --manifest {params.manifest:q} --kind {wildcards.kind}"
        " --sections {params.sections} --depth {params.depth}"
        " --settings {params.settings:q} --array {output:q} > {log:q} 2>&1"
