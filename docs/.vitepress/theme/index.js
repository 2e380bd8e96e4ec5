import { useData } from 'vitepress';
import DefaultTheme from 'vitepress/theme-without-fonts';
import { nextTick, onMounted, watch } from 'vue';

import Live from './Live.vue';
import './style.css';

/** The theme's home page, and its page for what is not found, have no `main`. */
function markMain() {
  const content = document.getElementById('VPContent');
  if (content?.querySelector('main')) content.removeAttribute('role');
  else content?.setAttribute('role', 'main');
}

export default {
  extends: DefaultTheme,
  setup() {
    const { page } = useData();
    onMounted(markMain);
    watch(() => page.value.relativePath, () => nextTick(markMain));
  },
  enhanceApp: ({ app }) => app.component('Live', Live),
};
