"""Pictures of a volume: sections with the segmentation over them, the largest neurites in 3-D.

In:  image.zarr, segmentation.ome.zarr, objects.tsv
Out: sections.png, neurites.png
"""


rule neurites_pictures:
    input:
        image=neurites_tree.stored("image"),
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
        mem_mb=neurites_tree.memory("pictures"),
        runtime=neurites_tree.runtime("pictures"),
    params:
        version=version_of("neurites", "pictures"),
        settings=neurites_tree.settings_of("pictures"),
        image=lambda wildcards: f"results/neurites/{wildcards.volume}/image.zarr",
        grid=neurites_tree.described,
    shell:
        "python -m snakescope neurites pictures --image {params.image:q} --segmentation {input.segmentation:q}"
        " --objects {input.objects:q} --grid {params.grid:q} --settings {params.settings:q}"
        " --sections {output.sections:q} --neurites {output.neurites:q} > {log:q} 2>&1"
