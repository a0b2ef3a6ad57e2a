"""Detection: the instance mask of every worm, in plate coordinates.

In:  tiles/<block>.ome.tif, tiles/<block>.tsv, reference.json; weights of the detector
Out: masks/<block>.json, masks/<block>.dropped.tsv
"""


rule healthspan_detect:
    input:
        tiles="results/healthspan/{plate}/tiles/{block}.ome.tif",
        origins="results/healthspan/{plate}/tiles/{block}.tsv",
        description="results/healthspan/{plate}/reference.json",
    output:
        masks="results/healthspan/{plate}/masks/{block}.json",
        dropped="results/healthspan/{plate}/masks/{block}.dropped.tsv",
    log:
        "logs/healthspan/detect/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/detect/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        version=step_version("healthspan.detect"),
        settings=tree.settings_of("detect"),
        # Tiles are gone by the next run and cannot tell that they were to be cut otherwise.
        tiles=(step_version("healthspan.tile"), tree.settings_of("tile")),
        pixel_size_um=tree.pixel_size_um,
        # The checksum says which weights; the file's time does not, after a clone or a copy.
        weights=DETECTOR,
        sha256=weights_checksum(DETECTOR),
    shell:
        "python -m healthspan.detect --tiles {input.tiles:q} --origins {input.origins:q}"
        " --reference-description {input.description:q} --plate {wildcards.plate:q}"
        " --pixel-size-um {params.pixel_size_um}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --masks {output.masks:q} --dropped {output.dropped:q} > {log:q} 2>&1"
