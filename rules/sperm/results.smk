"""Grades of all clips, the sperm of each dish in order, and pictures of them.

In:  clips of all videos; the networks of the cross-validation, or shipped weights
Out: results/sperm/<video>/grades.tsv, overlay.mp4; dishes/<dish>/clips.tsv, gallery.png, page.html;
     clips.tsv; <video>/explanations/<network>/<clip>_<method>.png, .mp4; models/<network>.safetensors
"""


rule grade:
    input:
        clips="results/sperm/{video}/clips.tsv",
        weights=tree.grader_weights,
        splits=tree.grader_splits,
        predictions=tree.grader_predictions,
    output:
        "results/sperm/{video}/grades.tsv",
    log:
        "logs/sperm/grade/{video}.log",
    benchmark:
        "results/benchmarks/sperm/grade/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.threads("grade")
    resources:
        mem_mb=tree.memory("grade"),
        runtime=tree.runtime("grade"),
    params:
        version=tree.version("grade"),
        settings=tree.recorded("grade"),
        sha256=tree.grader_checksum,
        folds=lambda wildcards, input: (
            f"--splits {input.splits} --predictions {input.predictions}" if input.splits else ""
        ),
    shell:
        "python -m snakescope sperm grade --clips {input.clips:q} --weights {input.weights:q}"
        " {params.folds} --settings {params.settings:q} --grades {output:q} > {log:q} 2>&1"


rule dish:
    input:
        clips=tree.of_dish("clips.tsv"),
        grades=tree.of_dish("grades.tsv"),
    output:
        table="results/sperm/dishes/{dish}/clips.tsv",
        gallery="results/sperm/dishes/{dish}/gallery.png",
        page="results/sperm/dishes/{dish}/page.html",
    log:
        "logs/sperm/dish/{dish}.log",
    benchmark:
        "results/benchmarks/sperm/dish/{dish}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("dish"),
        runtime=tree.runtime("dish"),
    params:
        version=tree.version("dish"),
        settings=tree.recorded("dish"),
        videos=tree.videos_of_dish,
        files=tree.files_of_dish,
        origin=tree.origin,
        lengths=tree.lengths_of_dish,
    shell:
        "python -m snakescope sperm dish --dish {wildcards.dish:q} --videos {params.videos:q}"
        " --clips {input.clips:q} --grades {input.grades:q} --files {params.files:q}"
        " --origin {params.origin:q} --lengths {params.lengths:q} --settings {params.settings:q} --table {output.table:q}"
        " --gallery {output.gallery:q} --page {output.page:q} > {log:q} 2>&1"


rule table:
    input:
        tree.dish_tables,
    output:
        "results/sperm/clips.tsv",
    log:
        "logs/sperm/table.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=tree.memory("table"),
        runtime=tree.runtime("table"),
    params:
        version=tree.version("table"),
    shell:
        "python -m snakescope sperm table --dishes {input:q} --table {output:q} > {log:q} 2>&1"


rule overlay:
    input:
        videos=tree.videos_of,
        heads="results/sperm/{video}/heads.tsv",
        clips=tree.table_of_dish,
    output:
        "results/sperm/{video}/overlay.mp4",
    log:
        "logs/sperm/overlay/{video}.log",
    benchmark:
        "results/benchmarks/sperm/overlay/{video}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 2
    resources:
        mem_mb=tree.memory("overlay"),
        runtime=tree.runtime("overlay"),
    params:
        version=tree.version("overlay"),
        settings=tree.recorded("overlay"),
        tracking=tree.recorded("track"),
        scale=tree.scale_of,
        name="{video}",
    shell:
        "python -m snakescope sperm overlay --video {input.videos:q} --name {params.name:q}"
        " --scale {params.scale:q} --heads {input.heads:q} --clips {input.clips:q}"
        " --tracking {params.tracking:q} --settings {params.settings:q} --overlay {output:q}"
        " > {log:q} 2>&1"


rule explain:
    input:
        clips="results/sperm/{video}/clips.tsv",
        weights=tree.explained_weights,
        splits=tree.explained_splits,
    output:
        strip="results/sperm/{video}/explanations/{grader}/{clip}_{method}.png",
        overlay="results/sperm/{video}/explanations/{grader}/{clip}_{method}.mp4",
    log:
        "logs/sperm/explain/{video}/{grader}/{clip}_{method}.log",
    benchmark:
        "results/benchmarks/sperm/explain/{video}/{grader}/{clip}_{method}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("explain"),
        runtime=tree.runtime("explain"),
    params:
        version=tree.version("explain"),
        folds=lambda wildcards, input: f"--splits {input.splits}" if input.splits else "",
    shell:
        "python -m snakescope sperm explain --clips {input.clips:q} --clip {wildcards.clip:q}"
        " --method {wildcards.method} --weights {input.weights:q} {params.folds}"
        " --strip {output.strip:q} --overlay {output.overlay:q} > {log:q} 2>&1"


rule train_grader:
    output:
        "results/sperm/models/{grader}.safetensors",
    log:
        "logs/sperm/train_grader/{grader}.log",
    benchmark:
        "results/benchmarks/sperm/train_grader/{grader}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("train_grader"),
        runtime=tree.runtime("train_grader"),
    params:
        version=tree.version("train_grader"),
        settings=tree.recorded("train_grader"),
        checkpoint="training/sperm/{grader}.ckpt",
    shell:
        "python -m snakescope sperm train_grader --model {wildcards.grader}"
        " --settings {params.settings:q} --checkpoint {params.checkpoint:q} --weights {output:q}"
        " > {log:q} 2>&1"
