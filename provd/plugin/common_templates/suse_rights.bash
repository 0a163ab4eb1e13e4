{% for group in user.get("groups") or [] %}
    getent group {{ group | shell_quote }} > /dev/null || groupadd --system {{ group | shell_quote }}
    usermod -a -G {{ group | shell_quote }} {{ user.name | shell_quote }}
{% endfor %}
{% if user.get("sudo") %}
    # SUSE's sudo may ask for the password of root unless it is told otherwise.
    printf 'Defaults:%s !targetpw\n%s ALL=(ALL) {{ "ALL" if user.get("password_hash") else "NOPASSWD:ALL" }}\n' {{ user.name | shell_quote }} {{ user.name | shell_quote }} > /etc/sudoers.d/90-provd-{{ user.name | replace(".", "_") }}
    chmod 0440 /etc/sudoers.d/90-provd-{{ user.name | replace(".", "_") }}
{% endif %}
{% if user.get("ssh_keys") %}
    provd_keys {{ user.name | shell_quote }} {{ user.ssh_keys | shell_quote }}
{% endif %}
