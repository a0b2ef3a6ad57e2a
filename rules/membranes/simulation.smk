"""Simulated stacks with known membranes.

In:  settings only
Out: simulated/membranes/<stack>/image.tif, labels.tif
"""

from zlib import crc32


rule simulate:
    output:
        image="simulated/membranes/{stack}/image.tif",
        labels="simulated/membranes/{stack}/labels.tif",
    log:
        "logs/membranes/simulate/{stack}.log",
    benchmark:
        "results/benchmarks/membranes/simulate/{stack}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("simulate"),
        runtime=tree.runtime("simulate"),
    params:
        version=tree.version("simulate"),
        settings=tree.recorded("simulate"),
        seed=lambda wildcards: crc32(wildcards.stack.encode()),
    shell:
        "python -m snakescope membranes simulate --settings {params.settings:q} --seed {params.seed}"
        " --image {output.image:q} --labels {output.labels:q} > {log:q} 2>&1"
