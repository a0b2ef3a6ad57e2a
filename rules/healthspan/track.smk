"""Individuals: worms that have stopped followed through time, and what becomes of them.

In:  states/<block>.tsv, frames.tsv
Out: states.tsv, tracks.tsv, individuals.tsv, counts.tsv

Two steps, states_table and track, in one job.
"""


rule healthspan_track:
    input:
        states=tree.of_blocks("states/{block}.tsv"),
        frames="results/healthspan/{plate}/frames.tsv",
    output:
        tracks="results/healthspan/{plate}/tracks.tsv",
        individuals="results/healthspan/{plate}/individuals.tsv",
        counts="results/healthspan/{plate}/counts.tsv",
        states="results/healthspan/{plate}/states.tsv",
    log:
        "logs/healthspan/track/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/track/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("states_table", "track"),
        runtime=tree.runtime("states_table", "track"),
    params:
        version=(step_version("healthspan.states_table"), step_version("healthspan.track")),
        settings=tree.settings_of("track"),
        age_d=lambda wildcards: tree.sheet[wildcards.plate].age_at_first_frame_d,
        worms=tree.worms,
    shell:
        "python -m healthspan.states_table --tables {input.states:q} --states {output.states:q}"
        " > {log:q} 2>&1;"
        " python -m healthspan.track --states {output.states:q} --frames {input.frames:q}"
        " --age-at-first-frame-d {params.age_d} --worms {params.worms}"
        " --settings {params.settings:q} --tracks {output.tracks:q}"
        " --individuals {output.individuals:q} --counts {output.counts:q} >> {log:q} 2>&1"
