"""Training of the affinity network on the volumes of the sets train and validation.

In:  image.zarr, labels.zarr of those volumes
Out: results/neurites/models/affinities.safetensors and its card, affinities.json. Named in the
     configuration (`neurites: predict: weights:`), they take the place of the shipped ones.

A training that was interrupted goes on from its checkpoint, which is kept for that.
"""


rule neurites_train:
    input:
        lambda wildcards: neurites_tree.stored_of_set("train", "validation"),
    output:
        weights="results/neurites/models/affinities.safetensors",
        card="results/neurites/models/affinities.json",
    log:
        "logs/neurites/train.log",
    benchmark:
        "results/benchmarks/neurites/train.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: neurites_settings.train.threads
    resources:
        gpu=1,
        mem_mb=neurites_tree.memory("train"),
        runtime=neurites_tree.runtime("train"),
    params:
        version=version_of("neurites", "train"),
        settings=neurites_tree.settings_of("train"),
        volumes=lambda wildcards: neurites_tree.training_options(),
        checkpoint="training/affinities.ckpt",
    shell:
        "python -m snakescope neurites train {params.volumes:q} --settings {params.settings:q}"
        " --weights {output.weights:q} --card {output.card:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"
