"""Affinities: how surely every voxel belongs to the same neurite as the one before it.

In:  image.zarr, as far as the block sees it; weights of the network
Out: affinities/<block>.h5
"""


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
