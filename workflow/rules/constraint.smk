# How far outputs are from the law of the clean images. The classifier, one a data set and shared by all runs, is
# represented by its stamp, which holds the checksum of the model.
rule classifier:
    input:
        stamp="results/datasets/{dataset}.json",
        data=ancient("results/datasets/{dataset}.npz"),
    output:
        model="results/datasets/{dataset}.classifier.safetensors",
        stamp="results/datasets/{dataset}.classifier.json",
    log:
        "logs/datasets/{dataset}.classifier.log",
    benchmark:
        "logs/datasets/{dataset}.classifier.tsv"
    wildcard_constraints:
        dataset=r"\w+",
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("evaluate")
    resources:
        **pipeline.resources("evaluate", gpu=True),
    params:
        code=code_hash("ecot.training.classifier"),
    shell:
        "python -m ecot classifier {input.data} --config $ECOT_CONFIG --out {output.model} > {log} 2>&1"


# What the measures give for clean images in place of outputs.
rule constraint_levels:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
        classifier_stamp=pipeline.classifier_stamp,
        classifier=ancient(pipeline.classifier),
    output:
        f"{pipeline.results}/constraint/levels_{{task}}.csv",
    log:
        f"{pipeline.logs}/constraint/levels_{{task}}.log",
    benchmark:
        f"{pipeline.logs}/constraint/levels_{{task}}.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("evaluate")
    resources:
        **pipeline.resources("evaluate", gpu=True),
    params:
        settings=pipeline.levelled,
    shell:
        "python -m ecot levels --task {wildcards.task} --config $ECOT_CONFIG --dataset {input.data}"
        " --classifier {input.classifier} --out {output} > {log} 2>&1"


rule constraint:
    input:
        metrics=pipeline.metrics(pipeline.cells),
        bounds=pipeline.bounds,
        levels=pipeline.levels,
    output:
        csv=report(
            f"{pipeline.results}/tables/constraint.csv",
            caption="../report/constraint.rst",
            category="Tables",
            labels={"table": "constraint", "run": pipeline.config.run},
        ),
        md=f"{pipeline.results}/tables/constraint.md",
        tex=f"{pipeline.results}/tables/constraint.tex",
        svg=report(
            f"{pipeline.results}/figures/constraint.svg",
            caption="../report/constraint.rst",
            category="Figures",
            labels={"figure": "constraint", "run": pipeline.config.run},
        ),
        png=f"{pipeline.results}/figures/constraint.png",
    log:
        f"{pipeline.logs}/constraint/constraint.log",
    benchmark:
        f"{pipeline.logs}/constraint/constraint.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.constraint"),
    shell:
        "python -m ecot constraint --config $ECOT_CONFIG > {log} 2>&1"
