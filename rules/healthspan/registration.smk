"""Registration: every raw frame of a plate in the geometry of the plate's reference frame.

In:  manifest/<block>.tsv; the raw files it lists, by whose size and time it changes
Out: reference.ome.tif, reference.json; registered/<block>.ome.tif, registered/<block>.tsv
     Registered frames are removed once all pictures are made if `keep_registered` is not set.
"""

registered = (lambda path: path) if tree.settings.keep_registered else temp


rule reference:
    input:
        # The raw files are no inputs: the manifest states their size and time, while a clock of an
        # instrument that is ahead, or braces in a path, would confuse Snakemake.
        manifest=tree.reference_manifest,
    output:
        image="results/healthspan/{plate}/reference.ome.tif",
        description="results/healthspan/{plate}/reference.json",
    log:
        "logs/healthspan/reference/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/reference/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("reference"),
        runtime=tree.runtime("reference"),
    params:
        version=tree.version("reference"),
        settings=tree.unrecorded("register"),
        recorded=tree.reference_settings,
    shell:
        "python -m snakescope healthspan reference --manifest {input.manifest:q} --settings {params.settings:q}"
        " --image {output.image:q} --description {output.description:q} > {log:q} 2>&1"


rule register:
    input:
        manifest=tree.file("{plate}/manifest/{block}.tsv"),
        reference=rules.reference.output.image,
        description=rules.reference.output.description,
    output:
        frames=registered("results/healthspan/{plate}/registered/{block}.ome.tif"),
        table="results/healthspan/{plate}/registered/{block}.tsv",
    log:
        "logs/healthspan/register/{plate}/{block}.log",
    benchmark:
        "results/benchmarks/healthspan/register/{plate}/{block}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("register"),
        runtime=tree.runtime("register"),
    params:
        version=tree.version("register"),
        settings=tree.own_recorded("register"),
    shell:
        "python -m snakescope healthspan register --manifest {input.manifest:q}"
        " --reference {input.reference:q} --description {input.description:q}"
        " --settings {params.settings:q}"
        " --frames {output.frames:q} --table {output.table:q} > {log:q} 2>&1"
