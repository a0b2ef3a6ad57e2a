"""The segmentation as files that viewers open, and the table of its objects.

In:  agglomeration.h5, fragments/<block>.h5 of all blocks
Out: segmentation.ome.zarr, objects.tsv, provenance.json; on request segmentation.tif,
     segmentation.h5
"""


rule neurites_segmentation:
    input:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        fragments=neurites_tree.of_blocks("fragments/{box}.h5"),
    output:
        segmentation=directory("results/neurites/{volume}/segmentation.ome.zarr"),
        objects="results/neurites/{volume}/objects.tsv",
        provenance="results/neurites/{volume}/provenance.json",
    log:
        "logs/neurites/segmentation/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/segmentation/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: neurites_tree.writers
    resources:
        mem_mb=neurites_tree.memory("segmentation"),
        runtime=neurites_tree.runtime("segmentation"),
    params:
        version=[version_of("neurites", "segmentation"), version_of("neurites", "provenance")],
        settings=neurites_tree.settings_of("segmentation"),
        grid=neurites_tree.described,
        fragments=neurites_tree.folder("fragments"),
        manifest=neurites_tree.manifest,
        weights=AFFINITY_NETWORK,
    shell:
        "python -m snakescope neurites segmentation --agglomeration {input.agglomeration:q}"
        " --fragments {params.fragments:q} --grid {params.grid:q} --settings {params.settings:q}"
        " --processes {threads} --segmentation {output.segmentation:q} --objects {output.objects:q}"
        " > {log:q} 2>&1;"
        " python -m snakescope neurites provenance --volume {wildcards.volume:q}"
        " --manifest {params.manifest:q} --weights {params.weights:q}"
        " --provenance {output.provenance:q} >> {log:q} 2>&1"


rule neurites_export:
    input:
        "results/neurites/{volume}/segmentation.ome.zarr",
    output:
        "results/neurites/{volume}/segmentation.{suffix}",
    log:
        "logs/neurites/export/{volume}.{suffix}.log",
    benchmark:
        "results/benchmarks/neurites/export/{volume}.{suffix}.tsv"
    wildcard_constraints:
        suffix="tif|h5",
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=neurites_tree.memory("export"),
        runtime=neurites_tree.runtime("export"),
    params:
        version=version_of("neurites", "export"),
    shell:
        "python -m snakescope neurites export --segmentation {input:q} --export {output:q} > {log:q} 2>&1"
