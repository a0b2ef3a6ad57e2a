"""Simulated volumes with known truth.

In:  settings only
Out: simulated/neurites/<volume>/image.tif, labels.tif
"""

from zlib import crc32


rule neurites_simulate:
    output:
        image="simulated/neurites/{volume}/image.tif",
        labels="simulated/neurites/{volume}/labels.tif",
    log:
        "logs/neurites/simulate/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/simulate/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=neurites_tree.memory("simulate"),
        runtime=neurites_tree.runtime("simulate"),
    params:
        version=version_of("neurites", "simulate"),
        settings=neurites_tree.settings_of("simulate"),
        seed=lambda wildcards: crc32(wildcards.volume.encode()),
    shell:
        "python -m snakescope neurites simulate --settings {params.settings:q} --seed {params.seed}"
        " --image {output.image:q} --labels {output.labels:q} > {log:q} 2>&1"
