# What the test images of a task say about its distortion, before anything is trained.
rule bounds_images:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
    output:
        f"{pipeline.results}/bounds/images_{{task}}.csv",
    log:
        f"{pipeline.logs}/bounds/images_{{task}}.log",
    benchmark:
        f"{pipeline.logs}/bounds/images_{{task}}.tsv"
    conda:
        "../../envs/analysis.yaml"
    threads: pipeline.threads("evaluate")
    resources:
        **pipeline.resources("evaluate"),
    params:
        settings=pipeline.bounded,
    shell:
        "python -m ecot bounds images --task {wildcards.task} --config $ECOT_CONFIG --dataset {input.data}"
        " --out {output} > {log} 2>&1"


# Figures 3, 6, 7 and 8: no cell has a part in them, and one start makes them all.
rule theory_figures:
    output:
        svg=[
            report(
                f"{pipeline.results}/figures/{figure}.svg",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure[-2:], "run": pipeline.config.run},
            )
            for figure in pipeline.theory_figures
        ],
        png=expand(
            f"{pipeline.results}/figures/{{figure}}.png",
            figure=pipeline.theory_figures,
        ),
        csv=expand(
            f"{pipeline.results}/bounds/{{table}}.csv", table=pipeline.theory_tables
        ),
    log:
        f"{pipeline.logs}/figures/theory.log",
    benchmark:
        f"{pipeline.logs}/figures/theory.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        code=code_hash("ecot.reporting.theory"),
    shell:
        "python -m ecot figure 3 6 7 8 --config $ECOT_CONFIG > {log} 2>&1"
