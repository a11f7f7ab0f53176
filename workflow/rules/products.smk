# Tables, figures, claims, comparisons, bounds: one rule for each product that the configuration has, which
# reads and writes exactly what the product declares. A changed declaration makes that product again and no other.
for product in pipeline.products.values():
    files = [str(path) for path in product.files(pipeline.config)]

    rule:
        name:
            product.name
        input:
            **pipeline.product_inputs(product),
            data=ancient(pipeline.product_data(product)),
        output:
            # The first file is the one to look at; a figure is to be looked at, too.
            [
                (
                    report(
                        file,
                        caption="../report/product.rst",
                        category=product.category,
                        labels={
                            "product": product.title,
                            "file": Path(file).suffix[1:],
                            "run": pipeline.config.run,
                        },
                    )
                    if file == files[0] or file.endswith(".svg")
                    else file
                )
                for file in files
            ],
        log:
            f"{pipeline.logs}/products/{product.name}.log",
        benchmark:
            f"{pipeline.logs}/products/{product.name}.tsv"
        localrule: product.job is None
        conda:
            f"../../envs/{product.environment}.yaml"
        threads: pipeline.threads(product.job or "other")
        resources:
            **pipeline.resources(product.job or "other"),
        params:
            # Functions, since braces in a text would stand for wildcards.
            product=product.name,
            declared=lambda wildcards, product=product: repr(product),
            caption=lambda wildcards, product=product: product.caption,
            code=code_hash(*product.modules),
            settings=pipeline.everything(),
        shell:
            "python -m ecot make {params.product} --config $ECOT_CONFIG > {log} 2>&1"
