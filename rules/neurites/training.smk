"""Training of the affinity network on the volumes of the sets train and validation.

In:  image.zarr, labels.zarr of those volumes
Out: results/neurites/models/affinities.safetensors and its card, affinities.json. Named in the
     configuration (`neurites: prediction: weights:`), they take the place of the shipped ones.

A training that was interrupted goes on from its checkpoint, training/affinities-<8 digits>.ckpt,
which is kept for that. Losses and validation scores are in the table (.tsv) of the same name, as
curves in the figure (.svg).
"""


rule train:
    input:
        tree.training_files,
    output:
        weights="results/neurites/models/affinities.safetensors",
        card="results/neurites/models/affinities.json",
    log:
        "logs/neurites/train.log",
    benchmark:
        "results/benchmarks/neurites/train.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("train").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("train"),
        runtime=tree.runtime("train"),
    params:
        version=tree.version("train"),
        settings=tree.recorded("train"),
        volumes=tree.training_options,
        checkpoint="training/affinities.ckpt",
    shell:
        "python -m snakescope neurites train {params.volumes:q} --settings {params.settings:q}"
        " --weights {output.weights:q} --card {output.card:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"
