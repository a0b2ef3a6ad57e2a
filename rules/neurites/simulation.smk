"""Simulated volumes with known truth.

In:  settings only
Out: simulated/neurites/<volume>/image.tif, labels.tif
"""

from zlib import crc32


rule simulate:
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
        mem_mb=tree.memory("simulate"),
        runtime=tree.runtime("simulate"),
    params:
        version=tree.version("simulate"),
        settings=tree.recorded("simulate"),
        seed=lambda wildcards: crc32(wildcards.volume.encode()),
    shell:
        "python -m snakescope neurites simulate --settings {params.settings:q} --seed {params.seed}"
        " --image {output.image:q} --labels {output.labels:q} > {log:q} 2>&1"
