# The sweep of lambda that `snakemake fit_weight` makes; no part of the default target. Its cells are end-to-end
# cells with a weight of their own. That of the grid's weight is trained again: a fit stands on its own files.
use rule train_end_to_end as train_fit_weight with:
    output:
        **pipeline.models("fit_weight"),
    log:
        f"{pipeline.logs}/{pipeline.cell_files('fit_weight', 'train.log')}",
    benchmark:
        f"{pipeline.logs}/{pipeline.cell_files('fit_weight', 'train.tsv')}"
    params:
        settings=pipeline.trained("fit_weight"),
        command=pipeline.training_command("end_to_end"),
        out=subpath(output.model, parent=True),


rule score_weights:
    input:
        pipeline.sweep_metrics,
    output:
        multiext(f"{pipeline.results}/fit_weight/{{task}}", ".csv", ".json", ".png"),
        svg=report(
            f"{pipeline.results}/fit_weight/{{task}}.svg",
            caption="../report/fit_weight.rst",
            category="Figures",
            labels={"figure": "fit of lambda, {task}", "run": pipeline.config.run},
        ),
    log:
        f"{pipeline.logs}/fit_weight/{{task}}.log",
    benchmark:
        f"{pipeline.logs}/fit_weight/{{task}}.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    params:
        settings=pipeline.everything(),
        code=code_hash("ecot.reporting.weight"),
    shell:
        "python -m ecot fit-weight --task {wildcards.task} --config $ECOT_CONFIG > {log} 2>&1"


rule fit_weight:
    input:
        pipeline.fitted_weights,
