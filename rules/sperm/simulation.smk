"""Simulated videos with known truth.

In:  settings and the sheets only
Out: simulated/sperm/<preset>/<video>.avi, <video>_masks.tif, <video>_truth.tsv
"""


rule simulate:
    output:
        video="simulated/sperm/{preset}/{video}.avi",
        masks="simulated/sperm/{preset}/{video}_masks.tif",
        truth="simulated/sperm/{preset}/{video}_truth.tsv",
    log:
        "logs/sperm/simulate/{preset}/{video}.log",
    benchmark:
        "results/benchmarks/sperm/simulate/{preset}/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("simulate"),
        runtime=tree.runtime("simulate"),
    params:
        version=tree.version("simulate"),
        settings=tree.recorded("simulate"),
        donor=tree.donor_of,
        seconds=tree.seconds_of,
    shell:
        "python -m snakescope sperm simulate --name {wildcards.video:q} --donor {params.donor:q}"
        " --preset {wildcards.preset} --seconds {params.seconds} --settings {params.settings:q}"
        " --video {output.video:q} --masks {output.masks:q} --truth {output.truth:q} > {log:q} 2>&1"
