"""Training: weights of the detector and of the classifier, from simulated scenes.

`snakemake healthspan_train` trains the detector further on images of one's own: fine_tuning.smk.

In:  settings only
Out: results/healthspan/models/<model>.safetensors and its card, <model>.json. Copied to
     resources/models/, or named in the configuration, they take the place of the shipped ones.

A training that was interrupted goes on from its checkpoint, which is kept for that. With other
settings it refuses: remove training/<model>.ckpt to train from the start. Losses and scores along
the training are in training/<model>.tsv, as curves in training/<model>.svg.
"""


rule train_model:
    output:
        weights="results/healthspan/models/{model}.safetensors",
        card="results/healthspan/models/{model}.json",
    log:
        "logs/healthspan/train/{model}.log",
    benchmark:
        "results/benchmarks/healthspan/train/{model}.tsv"
    wildcard_constraints:
        model="detector|classifier",
    conda:
        "../../envs/snakescope.yaml"
    threads: lambda wildcards: tree.settings_of(f"train_{wildcards.model}").threads
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: tree.memory(f"train_{wildcards.model}")(
            wildcards, attempt
        ),
        runtime=lambda wildcards, attempt: tree.runtime(f"train_{wildcards.model}")(
            wildcards, attempt
        ),
    params:
        version=lambda wildcards: tree.version(f"train_{wildcards.model}"),
        settings=lambda wildcards: tree.recorded(f"train_{wildcards.model}"),
        checkpoint="training/{model}.ckpt",
    shell:
        "python -m snakescope healthspan train_{wildcards.model} --settings {params.settings:q}"
        " --weights {output.weights:q} --card {output.card:q}"
        " --checkpoint {params.checkpoint:q} > {log:q} 2>&1"
