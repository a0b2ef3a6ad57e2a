"""Simulated plates: raw folders as an instrument writes them, with the truth.

In:  settings only
Out: simulated/<plate>/truth/frames.tsv, worms.tsv, states.tsv, masks.json, and simulation.json, by
     which the frames of an earlier simulation are removed first; simulated/<plate>/raw/
"""

from zlib import crc32


rule simulate:
    output:
        frames="simulated/{plate}/truth/frames.tsv",
        worms="simulated/{plate}/truth/worms.tsv",
        states="simulated/{plate}/truth/states.tsv",
        masks="simulated/{plate}/truth/masks.json",
    log:
        "logs/healthspan/simulate/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/simulate/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("simulate"),
        runtime=tree.runtime("simulate"),
    params:
        version=tree.version("simulate"),
        settings=lambda wildcards: tree.recorded("simulate"),
        seed=lambda wildcards: crc32(wildcards.plate.encode()),
        folder=lambda wildcards, output: str(Path(output.frames).parents[2]),
    shell:
        "python -m snakescope healthspan simulate --settings {params.settings:q} --plate {wildcards.plate:q}"
        " --seed {params.seed} --folder {params.folder:q} > {log:q} 2>&1"
