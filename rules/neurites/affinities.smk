"""Affinities: how surely every voxel belongs to the same neurite as the one before it.

In:  image.zarr, as far as the block sees it; weights of the network
Out: affinities/<block>.h5
"""


rule neurites_affinities:
    input:
        neurites_tree.seen_image,
    output:
        "results/neurites/{volume}/affinities/{box}.h5",
    log:
        "logs/neurites/affinities/{volume}/{box}.log",
    benchmark:
        "results/benchmarks/neurites/affinities/{volume}/{box}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: neurites_settings.predict.threads
    resources:
        gpu=1,
        mem_mb=neurites_tree.memory("predict"),
        runtime=neurites_tree.runtime("predict"),
    params:
        version=version_of("neurites", "predict"),
        # Where the model runs is handed over and not recorded.
        settings=neurites_tree.handed_to("predict"),
        recorded=neurites_tree.settings_of("predict"),
        image=lambda wildcards: f"results/neurites/{wildcards.volume}/image.zarr",
        ranges=neurites_tree.ranges,
        # The checksum says which weights; the file's time does not, after a clone or a copy.
        weights=AFFINITY_NETWORK,
        sha256=weights_checksum(AFFINITY_NETWORK),
    shell:
        "python -m snakescope neurites predict --image {params.image:q} --block {params.ranges}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --affinities {output:q} > {log:q} 2>&1"
