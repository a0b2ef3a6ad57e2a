"""Tiles: registered frames as overlays in plate coordinates, cut for the detector.

In:  registered/<block>.ome.tif, registered/<block>.tsv, reference.json
Out: tiles/<block>.ome.tif, tiles/<block>.tsv; removed once read, unless `keep_tiles` is set
"""

unless_kept = (lambda path: path) if settings.keep_tiles else temp


rule healthspan_tile:
    input:
        frames="results/healthspan/{plate}/registered/{block}.ome.tif",
        table="results/healthspan/{plate}/registered/{block}.tsv",
        description="results/healthspan/{plate}/reference.json",
    output:
        tiles=unless_kept("results/healthspan/{plate}/tiles/{block}.ome.tif"),
        origins=unless_kept("results/healthspan/{plate}/tiles/{block}.tsv"),
    log:
        "logs/healthspan/tile/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/tile/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1500 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        version=step_version("healthspan.tile"),
        settings=tree.settings_of("tile"),
        pixel_size_um=tree.pixel_size_um,
    shell:
        "python -m healthspan.tile --frames {input.frames:q} --table {input.table:q}"
        " --reference-description {input.description:q} --pixel-size-um {params.pixel_size_um}"
        " --settings {params.settings:q}"
        " --tiles {output.tiles:q} --origins {output.origins:q} > {log:q} 2>&1"
