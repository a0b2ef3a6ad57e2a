"""Heads in videos of a whole field, their tracks, and the seconds of them that become clips.

In:  the video, weights of the network that finds heads
Out: results/sperm/<video>/heads.tsv, drift.tsv, tracks.tsv, windows.tsv
"""


rule detect:
    input:
        videos=tree.videos_of,
        weights=tree.head_files,
    output:
        heads="results/sperm/{video}/heads.tsv",
        drift="results/sperm/{video}/drift.tsv",
    log:
        "logs/sperm/detect/{video}.log",
    benchmark:
        "results/benchmarks/sperm/detect/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.threads("detect")
    resources:
        mem_mb=tree.memory("detect"),
        runtime=tree.runtime("detect"),
    params:
        version=tree.version("detect"),
        settings=tree.recorded("detect"),
        scale=tree.scale_of,
        weights=tree.head_weights,
        sha256=tree.checksum(tree.head_weights),
    shell:
        "python -m snakescope sperm detect --video {input.videos:q} --scale {params.scale:q}"
        " --weights {params.weights:q}"
        " --heads {output.heads:q} --drift {output.drift:q} --settings {params.settings:q} > {log:q} 2>&1"


rule track:
    input:
        heads=rules.detect.output.heads,
        drift=rules.detect.output.drift,
        videos=tree.videos_of,
    output:
        tracks="results/sperm/{video}/tracks.tsv",
        windows="results/sperm/{video}/windows.tsv",
    log:
        "logs/sperm/track/{video}.log",
    benchmark:
        "results/benchmarks/sperm/track/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("track"),
        runtime=tree.runtime("track"),
    params:
        version=tree.version("track"),
        settings=tree.recorded("track"),
        scale=tree.scale_of,
        name="{video}",
    shell:
        "python -m snakescope sperm track --heads {input.heads:q} --drift {input.drift:q} --video {input.videos:q}"
        " --scale {params.scale:q} --name {params.name:q} --tracks {output.tracks:q}"
        " --windows {output.windows:q} --settings {params.settings:q} > {log:q} 2>&1"


rule train_heads:
    output:
        "results/sperm/models/heads.safetensors",
    log:
        "logs/sperm/train_heads.log",
    benchmark:
        "results/benchmarks/sperm/train_heads.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("train_heads"),
        runtime=tree.runtime("train_heads"),
    params:
        version=tree.version("train_heads"),
        settings=tree.recorded("train_heads"),
        checkpoint="training/sperm/heads.ckpt",
    shell:
        "python -m snakescope sperm train_heads --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --weights {output:q} > {log:q} 2>&1"
