"""Membrane probabilities of every stack, block by block of sections, and as one volume.

In:  manifest/stack.json, the stack's own files; weights of the network
Out: blocks/<block>.tif; membranes.ome.zarr, membranes.tif
"""


rule predict:
    input:
        sections=tree.block_files,
        weights=tree.own_weights,
    output:
        "results/membranes/{stack}/blocks/{block}.tif",
    log:
        "logs/membranes/predict/{stack}/{block}.log",
    benchmark:
        "results/benchmarks/membranes/predict/{stack}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("predict").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("predict"),
        runtime=tree.runtime("predict"),
    params:
        version=tree.version("predict"),
        # Where the model runs is handed over and not recorded.
        settings=tree.unrecorded("predict"),
        recorded=tree.recorded("predict"),
        stack=tree.file("{stack}/manifest/stack.json"),
        described=tree.described,
        sections=tree.block,
        # The checksum says which weights; of those that this run trains, the file does.
        weights=tree.network,
        sha256=tree.sha256(),
    shell:
        "python -m snakescope membranes predict --stack {params.stack:q} --sections {params.sections}"
        " --weights {params.weights:q} --sha256={params.sha256} --settings {params.settings:q}"
        " --probability {output:q} > {log:q} 2>&1"


rule assemble:
    input:
        tree.of_blocks("blocks/{block}.tif"),
    output:
        zarr=directory("results/membranes/{stack}/membranes.ome.zarr"),
        tiff="results/membranes/{stack}/membranes.tif",
    log:
        "logs/membranes/assemble/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/assemble/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("assemble"),
        runtime=tree.runtime("assemble"),
    params:
        version=tree.version("assemble"),
        stack=tree.file("{stack}/manifest/stack.json"),
        voxel_nm=tree.of_row("voxel_nm"),
    shell:
        "python -m snakescope membranes assemble --stack {params.stack:q} --blocks {input:q}"
        " --zarr {output.zarr:q} --tiff {output.tiff:q} > {log:q} 2>&1"
