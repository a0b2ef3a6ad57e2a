"""Evaluation of a volume with truth, at every threshold.

In:  agglomeration.h5, fragments/<block>.h5 of all blocks, labels.zarr
Out: scores.tsv, scores.png
"""


rule evaluate:
    input:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        fragments=tree.of_blocks("fragments/{box}.h5"),
        labels=tree.stored("labels"),
    output:
        scores="results/neurites/{volume}/scores.tsv",
        curve="results/neurites/{volume}/scores.png",
    log:
        "logs/neurites/evaluate/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/evaluate/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("evaluate"),
        runtime=tree.runtime("evaluate"),
    params:
        version=tree.version("evaluate"),
        settings=tree.recorded("evaluate"),
        agglomerate=tree.recorded("agglomerate", "thresholds"),
        segmentation=tree.recorded("segmentation", "scoring", "threshold", "min_voxels"),
        set=tree.of_row("set"),
        extra=tree.of_row("extra_json"),
        grid=tree.described,
        fragments=tree.file("{volume}/fragments"),
        labels=tree.file("{volume}/labels.zarr"),
    shell:
        "python -m snakescope neurites evaluate --agglomeration {input.agglomeration:q}"
        " --fragments {params.fragments:q} --grid {params.grid:q} --labels {params.labels:q}"
        " --settings {params.settings:q} --agglomerate-settings {params.agglomerate:q}"
        " --segmentation-settings {params.segmentation:q} --set {params.set}"
        " --extra {params.extra:q}"
        " --scores {output.scores:q} --curve {output.curve:q} > {log:q} 2>&1"
