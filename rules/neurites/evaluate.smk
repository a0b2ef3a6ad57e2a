"""Evaluation of a volume with truth, at every threshold.

In:  agglomeration.h5, fragments/<block>.h5 of all blocks, labels.zarr
Out: scores.tsv, scores.png
"""


rule neurites_evaluate:
    input:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        fragments=neurites_tree.of_blocks("fragments/{box}.h5"),
        labels=neurites_tree.stored("labels"),
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
        mem_mb=neurites_tree.memory("evaluate"),
        runtime=neurites_tree.runtime("evaluate"),
    params:
        version=version_of("neurites", "evaluate"),
        settings=neurites_tree.settings_of("evaluate"),
        agglomerate=neurites_tree.settings_of("agglomerate", "thresholds"),
        segmentation=neurites_tree.settings_of("segmentation", "scoring", "threshold", "min_voxels"),
        set=neurites_tree.set_of,
        grid=neurites_tree.described,
        fragments=neurites_tree.folder("fragments"),
        labels=lambda wildcards: f"results/neurites/{wildcards.volume}/labels.zarr",
    shell:
        "python -m snakescope neurites evaluate --agglomeration {input.agglomeration:q}"
        " --fragments {params.fragments:q} --grid {params.grid:q} --labels {params.labels:q}"
        " --settings {params.settings:q} --agglomerate-settings {params.agglomerate:q}"
        " --segmentation-settings {params.segmentation:q} --set {params.set}"
        " --scores {output.scores:q} --curve {output.curve:q} > {log:q} 2>&1"
