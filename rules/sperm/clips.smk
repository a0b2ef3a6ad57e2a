"""Clips of one second with one sperm each.

In:  manifest/clips.tsv of a video (main process), the video
Out: results/sperm/<video>/clips.tsv, clips/<clip>.tif
"""


rule cut:
    input:
        plan=tree.plan_of,
        videos=tree.videos_of,
    output:
        "results/sperm/{video}/clips.tsv",
    log:
        "logs/sperm/cut/{video}.log",
    benchmark:
        "results/benchmarks/sperm/cut/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("cut"),
        runtime=tree.runtime("cut"),
    params:
        version=tree.version("cut"),
        settings=tree.recorded("cut"),
        folder=tree.file("{video}/clips"),
    shell:
        "python -m snakescope sperm cut --plan {input.plan:q} --table {output:q}"
        " --folder {params.folder:q} --settings {params.settings:q} > {log:q} 2>&1"
