"""What went in: provenance of every plate, and plates whose raw folder cannot be used.

In:  manifest/<block>.tsv, problem.txt of a plate that cannot be used (main process, see tree.smk)
Out: <plate>/provenance.json, plates.tsv; nothing for an unusable plate, whose rule fails
"""


rule healthspan_unusable:
    input:
        "results/healthspan/{plate}/manifest/problem.txt",
    output:
        "results/healthspan/{plate}/manifest/usable",
    log:
        "logs/healthspan/unusable/{plate}.log",
    localrule: True
    conda:
        "../../envs/snakescope.yaml"
    resources:
        mem_mb=500,
        runtime=2,
    shell:
        "sed 's/^/error: /' {input:q} | tee {log:q} >&2; exit 1"


rule healthspan_provenance:
    input:
        manifests=tree.of_blocks("manifest/{block}.tsv"),
        frames="results/healthspan/{plate}/frames.tsv",
    output:
        "results/healthspan/{plate}/provenance.json",
    log:
        "logs/healthspan/provenance/{plate}.log",
    benchmark:
        "results/benchmarks/healthspan/provenance/{plate}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("provenance"),
        runtime=tree.runtime("provenance"),
    params:
        version=step_version("healthspan.provenance"),
        detector=DETECTOR,
        classifier=CLASSIFIER,
        weights=weights_checksum(DETECTOR) + weights_checksum(CLASSIFIER),
    shell:
        "python -m healthspan.provenance --plate {wildcards.plate:q}"
        " --manifests {input.manifests:q}"
        " --weights {params.detector:q} {params.classifier:q}"
        " --provenance {output:q} > {log:q} 2>&1"
