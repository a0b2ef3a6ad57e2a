"""Detection: the instance mask of every worm, in plate coordinates.

In:  registered/<block>.ome.tif, registered/<block>.tsv, reference.ome.tif, reference.json;
     weights of the detector
Out: masks/<block>.json, masks/<block>.dropped.tsv; tiles/<block>.ome.tif, tiles/<block>.tsv, which
     are removed once read, unless `keep_tiles` is set

Two steps, tile and detect, in one job: nobody else reads the tiles.
"""

unless_kept = (lambda path: path) if tree.settings.keep_tiles else temp


rule detect:
    input:
        frames=rules.register.output.frames,
        table=rules.register.output.table,
        reference=rules.reference.output.image,
        description=rules.reference.output.description,
    output:
        masks="results/healthspan/{plate}/masks/{block}.json",
        dropped="results/healthspan/{plate}/masks/{block}.dropped.tsv",
        tiles=unless_kept("results/healthspan/{plate}/tiles/{block}.ome.tif"),
        origins=unless_kept("results/healthspan/{plate}/tiles/{block}.tsv"),
    log:
        "logs/healthspan/detect/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/detect/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=tree.memory("detect"),
        runtime=tree.runtime("detect"),
    params:
        version=tree.version("detect"),
        tiling=tree.own_recorded("tile"),
        # Where the model runs is handed over and not recorded.
        settings=tree.unrecorded("detect"),
        recorded=tree.own_recorded("detect"),
        pixel_size_um=tree.pixel_size_um,
        # The checksum says which weights; the file's time does not, after a clone or a copy.
        weights=tree.detector,
        sha256=tree.checksum(tree.detector),
    shell:
        "python -m snakescope healthspan tile --frames {input.frames:q} --table {input.table:q}"
        " --reference-description {input.description:q} --pixel-size-um {params.pixel_size_um}"
        " --settings {params.tiling:q}"
        " --tiles {output.tiles:q} --origins {output.origins:q} > {log:q} 2>&1;"
        " python -m snakescope healthspan detect --tiles {output.tiles:q} --origins {output.origins:q}"
        " --reference {input.reference:q}"
        " --reference-description {input.description:q} --plate {wildcards.plate:q}"
        " --pixel-size-um {params.pixel_size_um}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --masks {output.masks:q} --dropped {output.dropped:q} >> {log:q} 2>&1"
