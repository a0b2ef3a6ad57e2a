"""States: every worm at every timepoint as healthy, immobile or dead, with probabilities.

In:  masks/<block>.json, registered/<block>.tsv and registered/<block>.ome.tif of the block, the one
     before and the one after; registered/<block>.tsv and .ome.tif of the first; weights of the
     classifier
Out: second_look/<block>.json, second_look/<block>.tsv: worms that lie still and were missed, and
     every place that was looked at again; composites/<block>.tif, composites/<block>.tsv: the masks
     of a worm before, at and after a timepoint, as one colour picture; evidence/<block>.tsv: the
     share of its body that moved, and how like it its place was in the first frames, by the grey
     values; states/<block>.tsv

Four steps, second_look, composite, evidence and classify, in one job: they take a few seconds of
one core. That is less than a GPU takes to start, so the rule asks for none.
"""


rule classify:
    input:
        masks=tree.of_neighbours("masks/{block}.json"),
        tables=tree.of_neighbours("registered/{block}.tsv"),
        frames=tree.of_neighbours("registered/{block}.ome.tif"),
        start_tables=tree.of_blocks("registered/{block}.tsv", first=1),
        start_frames=tree.of_blocks("registered/{block}.ome.tif", first=1),
        description=rules.reference.output.description,
    output:
        states="results/healthspan/{plate}/states/{block}.tsv",
        composites="results/healthspan/{plate}/composites/{block}.tif",
        index="results/healthspan/{plate}/composites/{block}.tsv",
        evidence="results/healthspan/{plate}/evidence/{block}.tsv",
        sightings="results/healthspan/{plate}/second_look/{block}.json",
        looks="results/healthspan/{plate}/second_look/{block}.tsv",
    log:
        "logs/healthspan/classify/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/classify/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("classify").threads
    resources:
        mem_mb=tree.memory("classify"),
        runtime=tree.runtime("classify"),
    params:
        version=tree.version("classify"),
        looking=tree.own_recorded("second_look"),
        composing=tree.own_recorded("composite"),
        weighing=tree.own_recorded("evidence"),
        pixel_size_um=tree.pixel_size_um,
        # Where the model runs is handed over and not recorded.
        settings=tree.unrecorded("classify"),
        recorded=tree.own_recorded("classify"),
        weights=tree.classifier,
        sha256=tree.checksum(tree.classifier),
    shell:
        "python -m snakescope healthspan second_look --block {wildcards.block} --masks {input.masks:q}"
        " --tables {input.tables:q} --frames {input.frames:q}"
        " --reference-description {input.description:q} --pixel-size-um {params.pixel_size_um}"
        " --weighing {params.weighing:q} --settings {params.looking:q}"
        " --sightings {output.sightings:q} --looks {output.looks:q} > {log:q} 2>&1;"
        " python -m snakescope healthspan composite --block {wildcards.block} --masks {input.masks:q}"
        " --tables {input.tables:q} --sightings {output.sightings:q} --settings {params.composing:q}"
        " --composites {output.composites:q} --index {output.index:q} >> {log:q} 2>&1;"
        " python -m snakescope healthspan evidence --block {wildcards.block} --masks {input.masks:q}"
        " --tables {input.tables:q} --sightings {output.sightings:q} --frames {input.frames:q}"
        " --start-tables {input.start_tables:q} --start-frames {input.start_frames:q}"
        " --reference-description {input.description:q} --pixel-size-um {params.pixel_size_um}"
        " --index {output.index:q} --composing {params.composing:q} --settings {params.weighing:q}"
        " --evidence {output.evidence:q} >> {log:q} 2>&1;"
        " python -m snakescope healthspan classify --composites {output.composites:q} --index {output.index:q}"
        " --evidence {output.evidence:q} --weighing {params.weighing:q}"
        " --weights {params.weights:q} --sha256 {params.sha256} --settings {params.settings:q}"
        " --states {output.states:q} >> {log:q} 2>&1"
