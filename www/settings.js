// The settings: a dialog with a form, and its values as the conversation takes them.

const $ = (id) => document.getElementById(id);

/** `system`, `thinking`, and `sampling` as `generate` takes it; empty fields are left out. */
export function settings() {
  const sampling = {};
  for (const { name, type, value, valueAsNumber } of $('sampling').querySelectorAll('input')) {
    if (value !== '') sampling[name] = type === 'number' ? valueAsNumber : value;
  }
  return { system: $('system').value.trim(), thinking: $('thinking').checked, sampling };
}

/** Whether all values can be used; where one can't, the reader is shown which. */
export function settingsAreValid() {
  if ($('settings-form').checkValidity()) return true;
  if (!$('settings').open) $('settings').showModal();
  return $('settings-form').reportValidity();
}

$('settings-open').addEventListener('click', () => $('settings').showModal());
