"""Affinities: how surely every voxel belongs to the same neurite as the one before it.

In:  image.zarr, as far as the block sees it; weights of the network. Or, where the sheet names
     boundary probabilities of any program, these
Out: affinities/<block>.h5
"""


ruleorder: boundaries > affinities


rule affinities:
    input:
        tree.seen_image,
    output:
        "results/neurites/{volume}/affinities/{box}.h5",
    log:
        "logs/neurites/affinities/{volume}/{box}.log",
    benchmark:
        "results/benchmarks/neurites/affinities/{volume}/{box}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("predict").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("affinities"),
        runtime=tree.runtime("affinities"),
    params:
        version=tree.version("affinities"),
        # Where the model runs is handed over and not recorded.
        settings=tree.unrecorded("predict"),
        recorded=tree.recorded("predict"),
        image=tree.file("{volume}/image.zarr"),
        ranges=tree.ranges,
        # The checksum says which weights; the file's time does not, after a clone or a copy.
        weights=tree.network,
        sha256=tree.checksum(tree.network),
    shell:
        "python -m snakescope neurites predict --image {params.image:q} --block {params.ranges}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --affinities {output:q} > {log:q} 2>&1"


rule boundaries:
    input:
        tree.boundary_files,
    output:
        "results/neurites/{volume}/affinities/{box}.h5",
    log:
        "logs/neurites/boundaries/{volume}/{box}.log",
    benchmark:
        "results/benchmarks/neurites/boundaries/{volume}/{box}.tsv"
    wildcard_constraints:
        volume=tree.bounded,
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("boundaries"),
        runtime=tree.runtime("boundaries"),
    params:
        version=tree.version("boundaries"),
        manifest=tree.file("{volume}/manifest/volume.json"),
        boundaries=tree.of_row("boundaries"),
        ranges=tree.ranges,
    shell:
        "python -m snakescope neurites boundaries --manifest {params.manifest:q}"
        " --block {params.ranges} --affinities {output:q} > {log:q} 2>&1"
