"""Agglomeration: the graphs of all blocks as one, and every merge in it.

In:  fragments/<block>.h5, graphs/<block>.npz of all blocks
Out: agglomeration.h5, agglomeration.tsv

The segmentation as files that viewers open, and the table of its objects.

In:  agglomeration.h5, fragments/<block>.h5 of all blocks
Out: segmentation.ome.zarr, objects.tsv, provenance.json; on request segmentation.tif,
     segmentation.h5

The image with the levels of the segmentation, to lie under it.

In:  image.zarr
Out: image.ome.zarr
"""


rule agglomerate:
    input:
        fragments=tree.of_blocks("fragments/{box}.h5"),
        graphs=tree.of_blocks("graphs/{box}.npz"),
    output:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        table="results/neurites/{volume}/agglomeration.tsv",
    log:
        "logs/neurites/agglomerate/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/agglomerate/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("agglomerate"),
        runtime=tree.runtime("agglomerate"),
    params:
        version=tree.version("agglomerate"),
        settings=tree.recorded("agglomerate"),
        grid=tree.described,
        # Thousands of files are more than a command may name.
        fragments=tree.file("{volume}/fragments"),
        graphs=tree.file("{volume}/graphs"),
    shell:
        "python -m snakescope neurites agglomerate --fragments {params.fragments:q} --graphs {params.graphs:q}"
        " --grid {params.grid:q} --settings {params.settings:q}"
        " --agglomeration {output.agglomeration:q} --table {output.table:q} > {log:q} 2>&1"


rule segmentation:
    input:
        agglomeration="results/neurites/{volume}/agglomeration.h5",
        fragments=tree.of_blocks("fragments/{box}.h5"),
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
    threads: tree.writers
    resources:
        mem_mb=tree.memory("segmentation"),
        runtime=tree.runtime("segmentation"),
    params:
        version=tree.version("segmentation"),
        settings=tree.recorded("segmentation"),
        grid=tree.described,
        fragments=tree.file("{volume}/fragments"),
        manifest=tree.file("{volume}/manifest/volume.json"),
        weights=tree.network,
    shell:
        "python -m snakescope neurites segmentation --agglomeration {input.agglomeration:q}"
        " --fragments {params.fragments:q} --grid {params.grid:q} --settings {params.settings:q}"
        " --processes {threads} --segmentation {output.segmentation:q} --objects {output.objects:q}"
        " > {log:q} 2>&1;"
        " python -m snakescope neurites provenance --volume {wildcards.volume:q}"
        " --manifest {params.manifest:q} --weights {params.weights:q}"
        " --provenance {output.provenance:q} >> {log:q} 2>&1"


rule export:
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
        mem_mb=tree.memory("export"),
        runtime=tree.runtime("export"),
    params:
        version=tree.version("export"),
    shell:
        "python -m snakescope neurites export --segmentation {input:q} --export {output:q} > {log:q} 2>&1"


rule image_levels:
    input:
        tree.stored("image"),
    output:
        directory("results/neurites/{volume}/image.ome.zarr"),
    log:
        "logs/neurites/image_levels/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/image_levels/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("image_levels"),
        runtime=tree.runtime("image_levels"),
    params:
        version=tree.version("image_levels"),
        settings=tree.recorded("segmentation", "levels"),
        image=tree.file("{volume}/image.zarr"),
        grid=tree.described,
    shell:
        "python -m snakescope neurites image_levels --image {params.image:q} --grid {params.grid:q}"
        " --settings {params.settings:q} --written {output:q} > {log:q} 2>&1"
