"""Pictures of a volume: sections with the segmentation over them, the largest neurites in 3-D.

In:  image.zarr, segmentation.ome.zarr, objects.tsv
Out: sections.png, neurites.png
"""


rule pictures:
    input:
        image=tree.stored("image"),
        segmentation="results/neurites/{volume}/segmentation.ome.zarr",
        objects="results/neurites/{volume}/objects.tsv",
    output:
        sections="results/neurites/{volume}/sections.png",
        neurites="results/neurites/{volume}/neurites.png",
    log:
        "logs/neurites/pictures/{volume}.log",
    benchmark:
        "results/benchmarks/neurites/pictures/{volume}.tsv"
    conda:
        "../../envs/snakescope.yaml"
    threads: 1
    resources:
        mem_mb=tree.memory("pictures"),
        runtime=tree.runtime("pictures"),
    params:
        version=tree.version("pictures"),
        settings=tree.recorded("pictures"),
        image=tree.file("{volume}/image.zarr"),
        grid=tree.described,
    shell:
        "python -m snakescope neurites pictures --image {params.image:q} --segmentation {input.segmentation:q}"
        " --objects {input.objects:q} --grid {params.grid:q} --settings {params.settings:q}"
        " --sections {output.sections:q} --neurites {output.neurites:q} > {log:q} 2>&1"
