"""Individuals: worms that have stopped followed through time, and what becomes of them.

In:  registered/<block>.tsv, manifest/<block>.tsv, states/<block>.tsv
Out: frames.tsv, states.tsv: the tables of all blocks in one; tracks.tsv, individuals.tsv,
     counts.tsv; provenance.json: which files, weights and settings they are from

Four steps in one job, frames_table, states_table, track and provenance: each takes a second. A
plate with too few usable frames fails here, in the first of them.
"""


rule track:
    input:
        tables=tree.of_blocks("registered/{block}.tsv"),
        manifests=tree.of_blocks("manifest/{block}.tsv"),
        states=tree.of_blocks("states/{block}.tsv"),
    output:
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
        states="results/healthspan/{plate}/states.tsv",
        frames="results/healthspan/{plate}/frames.tsv",
        provenance="results/healthspan/{plate}/provenance.json",
    log:
        "logs/healthspan/track/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/track/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("track"),
        runtime=tree.runtime("track"),
    params:
        version=tree.version("track"),
        max_missing_fraction=tree.max_missing_fraction,
        weights=[tree.detector, tree.classifier],
        sha256=tree.checksum(tree.detector) + tree.checksum(tree.classifier),
        settings=tree.own_recorded("track"),
        age_d=tree.of_row("first_d"),
        worms=tree.worms,
        configuration=tree.file("configuration.yaml"),
        own_settings=tree.of_row("settings"),
    shell:
        "python -m snakescope healthspan frames_table --plate {wildcards.plate:q} --tables {input.tables:q}"
        " --max-missing-fraction {params.max_missing_fraction}"
        " --frames {output.frames:q} > {log:q} 2>&1;"
        " python -m snakescope healthspan states_table --tables {input.states:q}"
        " --frames {output.frames:q} --states {output.states:q} >> {log:q} 2>&1;"
        " python -m snakescope healthspan track --states {output.states:q} --frames {output.frames:q}"
        " --age-at-first-frame-d {params.age_d} --worms {params.worms}"
        " --settings {params.settings:q} --tracks {output.tracks:q}"
        " --individuals {output.individuals:q} --counts {output.counts:q} >> {log:q} 2>&1;"
        " python -m snakescope healthspan provenance --plate {wildcards.plate:q}"
        " --manifests {input.manifests:q} --weights {params.weights:q}"
        " --configuration {params.configuration:q} --own-settings={params.own_settings:q}"
        " --provenance {output.provenance:q} >> {log:q} 2>&1"
