"""Training of the network on the sections of the column train of all stacks.

In:  the files of those stacks
Out: results/membranes/models/membranes.safetensors and its card, membranes.json. Named in the
     configuration (`membranes: prediction: weights:`), they are trained in the run that needs them.

A training that was interrupted goes on from its checkpoint, training/membranes-<8 digits>.ckpt,
which is kept for that. Its losses are in the table (.tsv) of the same name, as curves in the figure
(.svg).
"""


rule train:
    input:
        tree.training_files,
    output:
        weights="results/membranes/models/membranes.safetensors",
        card="results/membranes/models/membranes.json",
    log:
        "logs/membranes/train.log",
    benchmark:
        "results/benchmarks/membranes/train.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: tree.settings_of("train").threads
    resources:
        gpu=1,
        mem_mb=tree.memory("train"),
        runtime=tree.runtime("train"),
    params:
        version=tree.version("train"),
        # Where it runs is handed over and not recorded.
        settings=tree.unrecorded("train"),
        recorded=tree.recorded("train"),
        stacks=tree.training_stacks,
        described=tree.training_parts,
        checkpoint="training/membranes.ckpt",
    shell:
        "python -m snakescope membranes train --stacks {params.stacks:q} --settings {params.settings:q}"
        " --checkpoint {params.checkpoint:q} --weights {output.weights:q} --card {output.card:q}"
        " > {log:q} 2>&1"
