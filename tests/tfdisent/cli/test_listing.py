def test_list_names_methods_recipes_and_data(tfdisent_command):
    output = tfdisent_command("list").output
    for name in ("factor_vae", "cascade_vae_c/dsprites-demo", "dsprites", "arrays:PATH"):
        assert name in output


def test_nothing_is_cut_short_in_a_narrow_terminal(tfdisent_command):
    assert "…" not in tfdisent_command("list", columns=60).output


def test_sets_of_points_are_marked_as_such(tfdisent_command):
    from tfdisent import data
    from tfdisent.cli import listing

    output = tfdisent_command("list").output
    synthetic = [name for name in data.names() if name.startswith("synthetic:")]
    assert set(listing.POINTS) <= set(synthetic)
    for name in synthetic:
        (line,) = [line for line in output.splitlines() if line.split()[:1] == [name]]
        assert ("GANMINETrainer" in line) == (data.load(name).value_range is None)


def test_the_settings_of_a_recipe_are_those_that_can_be_set(tfdisent_command):
    output = tfdisent_command("list", "cascade_vae/dsprites-m4").output
    for setting, value in (("beta_low", "2.0"), ("stage_steps", "20000"), ("continuous", "4")):
        (line,) = [line for line in output.splitlines() if line.split()[1:2] == [setting]]
        assert line.split()[3] == value
    assert "Learning Discrete and Continuous Factors" in output or "1905.09432" in output


def test_every_setting_of_every_method_says_what_it_is(tfdisent_command):
    from tfdisent.trainers import methods

    for name in methods.METHODS:
        result = tfdisent_command("list", name)
        assert result.exit_code == 0, result.output
        rows = [line.split("│") for line in result.output.splitlines() if line.count("│") == 4]
        settings = [row[1].strip() for row in rows if row[1].strip()]
        silent = [row[1].strip() for row in rows if row[1].strip() and not row[3].strip()]
        assert {"learning_rate", "continuous"} <= set(settings) and not silent, (name, silent)


def test_an_unknown_name_lists_the_known_ones(tfdisent_command, message):
    result = tfdisent_command("list", "gama_vae")
    assert result.exit_code == 2
    assert "expected a method or a recipe" in message(result) and "factor_vae" in message(result)
